// SPDX-License-Identifier: Apache-2.0
#pragma once

// The parameter files of DRAM parts ("bitpulse/dram/1"): every number in them cites its source.

#include <string>

#include "models/io/json.h"
#include "sim/machine.h"

namespace bitpulse {

/// Reads one parameter file.
DramTiming read_dram_timing(const JsonValue& root);

/// The part of that name ("ddr4-2400") in the folder `dram` of the installed data.
///
/// errors  kInvalidInput naming the parts there are; see read_dram_timing
DramTiming load_dram_timing(const std::string& name);

}  // namespace bitpulse
