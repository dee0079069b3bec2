// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads "bitpulse/machine/1" and the DRAM timing sets it names.

#include <string_view>
#include <vector>

#include "models/io/json.h"
#include "sim/machine.h"

namespace bitpulse {

/// The keys at the top of a machine JSON.
const std::vector<std::string_view>& machine_keys();

Machine read_machine(const JsonValue& root);

}  // namespace bitpulse
