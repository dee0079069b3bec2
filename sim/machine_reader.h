// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads "bitpulse/machine/1" and the DRAM timing sets it names.

#include "models/io/json.h"
#include "sim/machine.h"

namespace bitpulse {

Machine read_machine(const JsonValue& root);

}  // namespace bitpulse
