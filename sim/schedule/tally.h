// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a layer does, counted while its commands come by one after the other: the cycles of the
// units and an engine's counters.

#include <array>
#include <cstdint>
#include <optional>

#include "sim/counters.h"
#include "sim/program.h"
#include "sim/timeline.h"

namespace bitpulse {

/// An engine's counting of one command into the counters of its layer.
using CountCommand = void (*)(const Program&, const Command&, Counters&);

/// A layer alone, from cycle 0.
struct Tally {
  struct Totals {
    UnitCycles units;
    LayerTimeline layer;
    Counters counters;
  };
  CountCommand count = nullptr;
  Totals totals;
  /// Whom each unit's first command waits for: its stall begins in the layer before.
  std::array<std::optional<Unit>, kUnitCount> first_cause;

  void add(const Program& program, const Command& command, CommandTime time, Unit cause);
  /// What has come since `before` comes so many times more, in so many cycles.
  void repeat(const Totals& before, std::uint64_t times, std::uint64_t cycles);
};

/// Adds a layer to those before, which end in cycle `begin`; returns its share of the timeline.
LayerTimeline add_layer(const Tally& layer, std::uint64_t begin, UnitCycles& units);

}  // namespace bitpulse
