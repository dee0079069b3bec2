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

/// What each unit does, told command by command: up to `covered` every cycle is busy or a stall, as
/// a unit's commands in queue order start in that order.
struct UnitCycles {
  std::array<std::uint64_t, kUnitCount> busy{}, stalled{}, covered{};

  /// A command of `layer`; `cause()` tells the unit that one after a gap has waited for.
  template <class Cause>
  void add(const Program& program, const Command& command, CommandTime time, LayerTimeline& layer,
           Cause&& cause) {
    const auto unit = static_cast<std::size_t>(command.unit);
    if (command.unit == Unit::kArray) {
      layer.stream_cycles += streams(program.array[command.payload].nest, program.machine.array);
    }
    if (time.start > covered[unit]) {
      const std::uint64_t gap = time.start - covered[unit];
      layer.stall[unit][static_cast<std::size_t>(cause())] += gap;
      stalled[unit] += gap;
      covered[unit] = time.start;
    }
    if (time.finish > covered[unit]) {
      const std::uint64_t more = time.finish - covered[unit];
      busy[unit] += more;
      if (command.unit == Unit::kArray) layer.array_cycles += more;
      covered[unit] = time.finish;
    }
  }

 private:
  /// Cycles in which a fold of the nest streams; the rest of its time is preload, fill and drain.
  static std::uint64_t streams(const FoldNest& nest, const ArraySpec& array);
};

Timeline account(const Program& program, const std::vector<CommandTime>& times);

/// Of what `units` have done in `layers`, whose cycles are known.
Timeline make_timeline(const UnitCycles& units, std::vector<LayerTimeline> layers);

/// MACs per layer, compute and bandwidth bounds, busy + stalled + idle = total for every unit.
void check_identities(const Program& program, const RunResult& result, const Timeline& timeline);

/// The same for a run without commands. `dram_bytes`: what each layer's commands move.
void check_identities(const Program& program, const std::vector<Counters>& layers,
                      const std::vector<std::uint64_t>& dram_bytes, const Timeline& timeline);

}  // namespace bitpulse
