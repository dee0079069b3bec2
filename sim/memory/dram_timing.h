// SPDX-License-Identifier: Apache-2.0
#pragma once

// Parameter files of DRAM parts, "bitpulse/dram/1" (workloads/dram/): organisation, timing in DRAM
// clocks under the names of DramTiming, and a text naming the source of the numbers.

#include <string>

#include "models/io/json.h"
#include "sim/machine.h"

namespace bitpulse {

/// errors  Error(kInvalidInput) naming file and JSON pointer: unknown or missing key, wrong type or
///         range, sizes that are no powers of two, refreshes that would pile up
DramTiming read_dram_timing(const JsonValue& root);

/// `name` of a file in workloads/dram/ ("ddr4-2400"), or the path of one.
DramTiming load_dram_timing(const std::string& name);

}  // namespace bitpulse
