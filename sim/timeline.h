// SPDX-License-Identifier: Apache-2.0
#pragma once

// From command times to cycles, busy, stall and idle, per unit and per layer (section 5): the same
// accounting for every engine. Checks the identities and throws Error(kInternal) where one fails.

#include <array>
#include <cstdint>
#include <vector>

#include "sim/engine.h"

namespace bitpulse {

/// stall[waiting unit][cause].
using StallMatrix = std::array<std::array<std::uint64_t, kUnitCount>, kUnitCount>;

struct LayerTimeline {
  std::uint64_t cycles = 0;         // F(l) - F(l-1)
  std::uint64_t array_cycles = 0;   // the layer's share of the array's busy cycles
  std::uint64_t stream_cycles = 0;  // of those, the ones in which a fold streams
  StallMatrix stall{};
};
struct Timeline {
  std::uint64_t cycles = 0;
  std::array<std::uint64_t, kUnitCount> busy{}, stalled{}, idle{};
  std::vector<LayerTimeline> layers;
};

Timeline account(const Program& program, const std::vector<CommandTime>& times);

/// MACs per layer, compute and bandwidth bounds, busy + stalled + idle = total for every unit.
void check_identities(const Program& program, const RunResult& result, const Timeline& timeline);

}  // namespace bitpulse
