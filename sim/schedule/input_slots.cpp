// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/input_slots.h"

#include <algorithm>
#include <cassert>

#include "models/units.h"
#include "sim/schedule/layer_plan.h"
#include "sim/schedule/patterns.h"
#include "sim/schedule/regions.h"

namespace bitpulse {

void add_reader(CommandList& commands, InputSlot& slot, Mark reader) {
  if (commands.is_trial()) {
    slot.last_reader = slot.last_reader == kNoMark ? reader : std::max(slot.last_reader, reader);
    return;
  }
  const Program& program = commands.program();
  const auto nest = [&](CommandId command) -> const FoldNest& {
    return program.array[program.commands[command].payload].nest;
  };
  while (!slot.readers.empty() && finishes_after(program.machine.array, nest(slot.readers.back()),
                                                 nest(static_cast<CommandId>(reader)))) {
    slot.readers.pop_back();
  }
  slot.readers.push_back(static_cast<CommandId>(reader));
}

void set_reader(CommandList& commands, InputSlot& slot, Mark reader) {
  if (commands.is_trial()) {
    slot.last_reader = reader;
  } else {
    slot.readers.assign(1, static_cast<CommandId>(reader));
  }
}

ActSlot& ActSlots::load(Range rows, Range cols, Range channels) {
  recent_ = 1 - recent_;
  ActSlot& slot = slots_[recent_];
  slot.region.rows = rows;
  slot.region.cols = cols;
  slot.region.channels = channels;
  slot.region.buffer_bit = first_bit_ + recent_ * u64(slot_bits_);
  assert(region_bits(slot.region, shape_.in.bits) <= slot_bits_);
  commands_.begin_dma(Buffer::kAct, false);
  const std::uint64_t bytes =
      load_region(shape_.in, tensor_bit_, slot.region, commands_.program().patterns);
  wait_for_readers(commands_, slot, shape_.is_gemm ? Unit::kArray : Unit::kVector);
  slot.load = commands_.end_dma(bytes);
  return slot;
}

void ActSlots::describe(TrialState& state, const UnitTimes& now, TilePlace next) const {
  state.add(static_cast<std::int64_t>(recent_));
  for (const ActSlot& slot : slots_) {
    slot.describe(state, shape_.is_gemm ? now.array : now.vector, now.dma);
    if (slot.load == kNoMark) continue;
    const Region& held = slot.region;
    state.add(held.rows.begin - next.row);
    state.add(held.rows.size());
    state.add(held.cols.begin - next.col);
    state.add(held.cols.size());
    state.add(held.channels.begin - next.channel);
    state.add(held.channels.size());
  }
}

void ActSlots::skip(const Skip& skip) {
  const auto move = [](Range& range, std::int64_t way) {
    range = {range.begin + way, range.end + way};
  };
  for (ActSlot& slot : slots_) {
    slot.skip(skip);
    move(slot.region.rows, skip.way.row);
    move(slot.region.cols, skip.way.col);
    move(slot.region.channels, skip.way.channel);
  }
}

ActSlot& ActSlots::kept(Range rows) {
  ActSlot& slot = slots_.front();
  slot.region.rows = rows;
  slot.region.cols = {0, shape_.in.w};
  slot.region.channels = {0, shape_.in.c};
  slot.region.buffer_bit = tensor_bit_ + u64(rows.begin * shape_.in.w * shape_.in.pixel_bits);
  return slot;
}

WeightSlots::WeightSlots(CommandList& commands, const std::vector<WidthGroup>& groups,
                         const LayerTiles& tiles, std::uint64_t dram_bit, std::int64_t slot_bits)
    : commands_(commands),
      groups_(groups),
      slot_bits_(slot_bits),
      first_block_(commands.program().weights.size()),
      end_(dram_bit) {
  if (groups.empty()) return;
  for (const ChannelTile& n : tiles.channels) {
    for (const KTile& k : tiles.k[n.width_group]) {
      if (commands.wants_addresses()) {
        WeightBlock& block = commands.program().weights.emplace_back();
        block.layer = commands.layer();
        block.tile.width_group = n.width_group;
        block.tile.groups = n.groups;
        block.tile.k = k.k;
        block.tile.n = n.n;
        block.dram_bit = end_;
      }
      end_ += bits_of(n, k);
    }
  }
}

WeightSlot& WeightSlots::load(std::size_t block, const ChannelTile& n, const KTile& k) {
  recent_ = 1 - recent_;
  WeightSlot& slot = slots_[recent_];
  const std::uint64_t bits = bits_of(n, k);
  assert(bits <= u64(slot_bits_));
  slot.block = block;
  slot.buffer_bit = recent_ * u64(slot_bits_);
  commands_.begin_dma(Buffer::kWeight, false);
  Program& program = commands_.program();
  DmaPattern& pattern = program.patterns.emplace_back();
  if (commands_.wants_addresses())
    pattern.dram_bit = program.weights[first_block_ + block].dram_bit;
  pattern.run_bits = bits;
  pattern.buffer_bit = slot.buffer_bit;
  wait_for_readers(commands_, slot, Unit::kArray);
  slot.load = commands_.end_dma(touched_bytes(pattern));
  return slot;
}

void WeightSlots::describe(TrialState& state, const UnitTimes& now, TilePlace next) const {
  state.add(static_cast<std::int64_t>(recent_));
  for (const WeightSlot& slot : slots_) {
    slot.describe(state, now.array, now.dma);
    state.add(static_cast<std::int64_t>(slot.block) - next.block);
  }
}

void WeightSlots::skip(const Skip& skip) {
  for (WeightSlot& slot : slots_) {
    slot.skip(skip);
    slot.block += static_cast<std::size_t>(skip.way.block);
  }
}

std::uint64_t WeightSlots::bits_of(const ChannelTile& n, const KTile& k) const {
  return u64(
      byte_aligned(n.groups.size() * n.n.size() * k.codes * groups_[n.width_group].weight_bits));
}

}  // namespace bitpulse
