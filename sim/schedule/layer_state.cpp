// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/layer_state.h"

#include <algorithm>
#include <limits>

namespace bitpulse {
namespace {

/// In place of the time of a unit that the layer has not used yet.
constexpr std::int64_t kUntouched = std::numeric_limits<std::int64_t>::min();

}  // namespace

LayerState::Checkpoint LayerState::checkpoint(TilePlace next) const {
  UnitTimes now = commands.trial().timer.times();
  // A vector command waits for an array command, which ends later than the next could start.
  if (shape.is_gemm) now.vector = std::max(now.vector, now.array);
  Checkpoint point;
  point.place = next;
  point.totals = commands.trial().totals();
  point.steps = outputs.steps();
  point.tiles = outputs.tiles();
  point.begun = begun;
  TrialState& state = point.state;
  const auto vector = static_cast<std::int64_t>(now.vector);
  state.add(static_cast<std::int64_t>(now.dma) - vector);
  state.add(static_cast<std::int64_t>(now.array) - vector);
  state.add(static_cast<std::int64_t>(point.totals.cycles) - vector);
  if (const Tally* tally = commands.trial().tally) {
    for (const std::uint64_t covered : tally->totals.units.covered) {
      state.add(covered > 0 ? static_cast<std::int64_t>(covered) - vector : kUntouched);
    }
  }
  state.add(begun % 2);
  for (const Mark mark : acc_reader) state.add(mark, now.array);
  state.add(loads_seen, now.array);
  state.add(last_vector, now.dma);
  state.add(last_step, now.vector);
  acts.describe(state, now, next);
  weights.describe(state, now, next);
  outputs.describe(state, now);
  return point;
}

void LayerState::repeat(const Checkpoint& from, const Checkpoint& to, std::size_t times) {
  const auto count = static_cast<std::int64_t>(times);
  Skip skip;
  skip.cycles = times * (to.totals.cycles - from.totals.cycles);
  skip.steps = count * (to.steps - from.steps);
  skip.tiles = count * (to.tiles - from.tiles);
  skip.way = count * (to.place - from.place);
  commands.trial().repeat(from.totals, times);
  acts.skip(skip);
  weights.skip(skip);
  outputs.skip(skip);
  begun += count * (to.begun - from.begun);
  for (Mark& mark : acc_reader) skip.apply(mark);
  skip.apply(loads_seen);
  skip.apply(last_vector);
  skip.apply(last_step);
}

}  // namespace bitpulse
