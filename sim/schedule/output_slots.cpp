// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/output_slots.h"

#include <cassert>

#include "models/units.h"
#include "sim/schedule/patterns.h"

namespace bitpulse {

void OutputSlots::start(Range m, Range channels) {
  open_ = true;
  Program& program = commands_.program();
  first_ = static_cast<std::uint32_t>(program.outputs.size());
  std::uint64_t at = slot() * u64(slot_bits_);
  for (const StoreShape& store : shape_.stores) {
    if (!commands_.is_trial()) {
      OutputTile& output = program.outputs.emplace_back();
      output.channels = channels;
      output.buffer_bit = at;
    }
    at += u64(m.size() * byte_aligned(channels.size() * store.tensor.bits));
  }
  ready_ = stored_[slot()];
  if (shape_.has_identity) load_identity_tile(m, channels, at);
}

void OutputSlots::load_identity_tile(Range m, Range channels, std::uint64_t at) {
  identity_.channels = identity_channels(shape_.identity, channels);
  identity_.buffer_bit = at;
  if (identity_.channels.size() == 0) return;
  // After the store that frees the slot: dma runs in order.
  commands_.begin_dma(Buffer::kOut, false, shape_.identity.kept);
  ready_ = commands_.end_dma(
      load_identity(shape_, addresses_.identity, m, identity_, commands_.program().patterns));
}

void OutputSlots::close(Range m, Range channels, Mark vector) {
  assert(outputs_ - stored_tiles_ < kStoreLag);  // a tile has a step at least
  pending_[slot()] = {step_, vector, m, channels, slot()};
  open_ = false;
  ++outputs_;
}

void OutputSlots::store(const Pending& pending) {
  OutputTile output;
  output.channels = pending.channels;
  output.buffer_bit = pending.slot * u64(slot_bits_);
  for (std::size_t i = 0; i < shape_.stores.size(); ++i) {
    const StoreShape& store = shape_.stores[i];
    commands_.begin_dma(Buffer::kOut, true, store.kept);
    commands_.wait_for(pending.vector, Unit::kVector);
    stored_[pending.slot] = commands_.end_dma(store_tile(
        shape_, store, addresses_.stores[i], pending.m, output, commands_.program().patterns));
    output.buffer_bit +=
        u64(pending.m.size() * byte_aligned(pending.channels.size() * store.tensor.bits));
  }
}

void OutputSlots::describe(TrialState& state, const UnitTimes& now) const {
  state.add(outputs_ % 2);
  state.add(open_);
  state.add(ready_, now.vector);
  for (const Mark mark : stored_) state.add(mark, now.vector);
  for (std::int64_t tile = stored_tiles_; tile < outputs_; ++tile) {
    const Pending& pending = pending_[static_cast<std::size_t>(tile % kStoreLag)];
    state.add(pending.step - step_);
    state.add(pending.vector, now.dma);
    state.add(pending.m.size());
    state.add(pending.channels.size());
    state.add(pending.channels.begin % 8);  // codes may begin within a byte
  }
}

void OutputSlots::skip(const Skip& skip) {
  step_ += skip.steps;
  outputs_ += skip.tiles;
  stored_tiles_ += skip.tiles;
  skip.apply(ready_);
  for (Mark& mark : stored_) skip.apply(mark);
  for (Pending& pending : pending_) {
    pending.step += skip.steps;
    skip.apply(pending.vector);
  }
}

}  // namespace bitpulse
