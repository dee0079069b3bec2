// SPDX-License-Identifier: Apache-2.0
#pragma once

// The two slots of the activation and of the weight buffer: which tile stands in each, the load
// that brought it and the commands whose end frees it. A tile that still stands in a slot is not
// loaded again.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/address_map.h"
#include "sim/schedule/command_list.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/tiles.h"

namespace bitpulse {

struct InputSlot {
  Mark load = kNoMark;             // the command that filled it; none: empty
  std::vector<CommandId> readers;  // commands whose end frees it
  Mark last_reader = kNoMark;      // in a trial, in their place: when it is free

  /// Of a trial; the unit that reads the slot goes on at `reader_time`.
  void describe(TrialState& state, std::uint64_t reader_time, std::uint64_t dma_time) const {
    state.add(load, reader_time);
    state.add(last_reader, dma_time);
  }
  void skip(const Skip& skip) {
    skip.apply(load);
    skip.apply(last_reader);
  }
};

/// Before a slot's tile is replaced: the open command waits for its readers, all of `unit`.
inline void wait_for_readers(CommandList& commands, InputSlot& slot, Unit unit) {
  for (const CommandId reader : slot.readers) commands.wait_for(reader, unit);
  slot.readers.clear();
  commands.wait_for(slot.last_reader, unit);
  slot.last_reader = kNoMark;
}
/// Records the last array command as reader; those that finish before it are named no more.
void add_reader(CommandList& commands, InputSlot& slot, Mark reader);

/// Records the only reader.
void set_reader(CommandList& commands, InputSlot& slot, Mark reader);

struct ActSlot : InputSlot {
  Region region;
};

class ActSlots {
 public:
  /// Keeps references to `commands` and `shape`; each slot holds `slot_bits`.
  ActSlots(CommandList& commands, const LayerShape& shape, const LayerAddresses& addresses,
           std::int64_t slot_bits)
      : commands_(commands),
        shape_(shape),
        tensor_bit_(addresses.in),
        first_bit_(addresses.act_slots),
        slot_bits_(slot_bits) {}

  /// The slot that holds these, loaded if need be; none where there are no rows. An input that is
  /// kept on chip is read where it stands: a slot without a load, of whole rows.
  ActSlot* get(Range rows, Range cols, Range channels) {
    if (rows.size() == 0) return nullptr;
    if (shape_.in_kept) return &kept(rows);
    for (std::size_t i = 0; i < 2; ++i) {
      const Region& held = slots_[i].region;
      if (slots_[i].load != kNoMark && held.rows == rows && held.cols == cols &&
          held.channels == channels) {
        recent_ = i;
        return &slots_[i];
      }
    }
    return &load(rows, cols, channels);
  }

  void describe(TrialState& state, const UnitTimes& now, TilePlace next) const;
  void skip(const Skip& skip);

 private:
  ActSlot& load(Range rows, Range cols, Range channels);
  ActSlot& kept(Range rows);

  CommandList& commands_;
  const LayerShape& shape_;
  const std::uint64_t tensor_bit_;  // the input in DRAM, or where it is kept
  const std::uint64_t first_bit_;   // of the slots
  const std::int64_t slot_bits_;
  std::array<ActSlot, 2> slots_;
  std::size_t recent_ = 1;
};

struct WeightSlot : InputSlot {
  std::size_t block = 0;  // of the layer
  std::uint64_t buffer_bit = 0;
};

class WeightSlots {
 public:
  /// Places the layer's blocks in DRAM from `dram_bit` on: one per tile, in the order of its first
  /// load, which is the same for all loop orders. Keeps references to `commands` and `groups`.
  WeightSlots(CommandList& commands, const std::vector<WidthGroup>& groups, const LayerTiles& tiles,
              std::uint64_t dram_bit, std::int64_t slot_bits);

  /// The slot that holds block `block` of the layer, loaded if need be.
  WeightSlot& get(std::size_t block, const ChannelTile& n, const KTile& k) {
    for (std::size_t i = 0; i < 2; ++i) {
      if (slots_[i].load != kNoMark && slots_[i].block == block) {
        recent_ = i;
        return slots_[i];
      }
    }
    return load(block, n, k);
  }

  void describe(TrialState& state, const UnitTimes& now, TilePlace next) const;
  void skip(const Skip& skip);

  /// Bits; where the layer's blocks end in DRAM.
  std::uint64_t end() const { return end_; }

 private:
  WeightSlot& load(std::size_t block, const ChannelTile& n, const KTile& k);
  std::uint64_t bits_of(const ChannelTile& n, const KTile& k) const;

  CommandList& commands_;
  const std::vector<WidthGroup>& groups_;
  const std::int64_t slot_bits_;
  const std::size_t first_block_;  // of the layer, in Program::weights
  std::uint64_t end_;
  std::array<WeightSlot, 2> slots_;
  std::size_t recent_ = 1;
};

}  // namespace bitpulse
