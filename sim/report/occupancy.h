// SPDX-License-Identifier: Apache-2.0
#pragma once

// How full each on-chip buffer is over time, from a program and the times of its commands: a block
// is live from the start of the command that writes it (a load, or a vector command for outputs) to
// the last finish of the commands that read it before something overwrites it; a tensor kept on
// chip from the first move into it to the last command that reads it.

#include <cstdint>
#include <vector>

#include "sim/engine.h"
#include "sim/program.h"

namespace bitpulse {

/// From `cycle` on, `bits` are live, up to the next entry.
struct OccupancyStep {
  std::uint64_t cycle = 0;
  std::uint64_t bits = 0;
};

/// One list per Buffer (act, weight, out), cycles strictly ascending, ending at 0 bits.
///
/// times  one per command of `program`
std::vector<std::vector<OccupancyStep>> buffer_occupancy(const Program& program,
                                                         const std::vector<CommandTime>& times);

}  // namespace bitpulse
