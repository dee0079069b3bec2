// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/tally.h"

namespace bitpulse {

void Tally::add(const Program& program, const Command& command, CommandTime time, Unit cause) {
  count(program, command, totals.counters);
  const auto unit = static_cast<std::size_t>(command.unit);
  if (!first_cause[unit]) first_cause[unit] = cause;
  totals.units.add(program, command, time, totals.layer, [cause] { return cause; });
}

void Tally::repeat(const Totals& before, std::uint64_t times, std::uint64_t cycles) {
  const auto again = [times](std::uint64_t& now, std::uint64_t then) {
    now += times * (now - then);
  };
  for (std::size_t u = 0; u < kUnitCount; ++u) {
    again(totals.units.busy[u], before.units.busy[u]);
    again(totals.units.stalled[u], before.units.stalled[u]);
    if (first_cause[u]) totals.units.covered[u] += cycles;
    for (std::size_t cause = 0; cause < kUnitCount; ++cause) {
      again(totals.layer.stall[u][cause], before.layer.stall[u][cause]);
    }
  }
  again(totals.layer.array_cycles, before.layer.array_cycles);
  again(totals.layer.stream_cycles, before.layer.stream_cycles);
  totals.counters.repeat(before.counters, times);
}

LayerTimeline add_layer(const Tally& layer, std::uint64_t begin, UnitCycles& units) {
  LayerTimeline timeline = layer.totals.layer;
  for (std::size_t u = 0; u < kUnitCount; ++u) {
    if (!layer.first_cause[u]) continue;
    const std::uint64_t gap = begin - units.covered[u];
    timeline.stall[u][static_cast<std::size_t>(*layer.first_cause[u])] += gap;
    units.stalled[u] += layer.totals.units.stalled[u] + gap;
    units.busy[u] += layer.totals.units.busy[u];
    units.covered[u] = begin + layer.totals.units.covered[u];
  }
  return timeline;
}

}  // namespace bitpulse
