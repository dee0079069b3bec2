// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a command counts besides time, by the definitions of sim/counters.h, in closed form over its
// folds and runs.

#include "sim/counters.h"
#include "sim/program.h"

namespace bitpulse {

/// Adds everything of `command` that needs neither values nor DRAM state.
void count_command(const Program& program, const Command& command, Counters& counters);

}  // namespace bitpulse
