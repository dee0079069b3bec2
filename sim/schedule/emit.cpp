// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/emit.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "models/units.h"
#include "sim/schedule/layer_plan.h"
#include "sim/schedule/patterns.h"
#include "sim/schedule/regions.h"
#include "sim/schedule/tiles.h"

namespace bitpulse {

namespace {

constexpr CommandId kNone = ~CommandId{0};
constexpr std::int64_t kStoreLag = 2;  // steps of loads that go before a store

// Copies of these are faster than zeroing, for which the compiler calls a string instruction.
const ArrayCommand kNewArray;
const VectorCommand kNewVector;

std::uint64_t u64(std::int64_t value) { return static_cast<std::uint64_t>(value); }

/// One slot of the act or weight buffer.
struct Slot {
  CommandId load = kNone;          // the command that filled it; none: empty
  Region region;                   // act: what it holds
  std::size_t block = 0;           // weights: which block it holds
  std::vector<CommandId> readers;  // commands whose end frees it
};

/// A tile of the output in the out buffer, waiting for its store.
struct PendingStore {
  std::int64_t step = 0;
  CommandId vector = kNone;
  Range m, channels;
  std::size_t slot = 0;
};

class Emitter {
 public:
  Emitter(const LayerShape& shape, const std::vector<WidthGroup>& groups, const Tiling& tiling,
          const LayerAddresses& addresses, std::uint32_t layer, Detail detail, Program& program)
      : shape_(shape),
        groups_(groups),
        tiling_(tiling),
        tiles_(cut_layer(shape, groups, tiling)),
        addresses_(addresses),
        layer_(layer),
        all_(detail == Detail::kAll),
        program_(program),
        array_(program.machine.array),
        half_(half_capacity(program.machine)) {
    barrier_ =
        program.commands.empty() ? kNone : static_cast<CommandId>(program.commands.size() - 1);
  }

  std::uint64_t run() {
    place_weights();
    if (tiling_.n_outer) {
      for (const ChannelTile& n : tiles_.channels) {
        for (const PixelTile& m : tiles_.pixels) tile(m, n);
      }
    } else {
      for (const PixelTile& m : tiles_.pixels) {
        for (const ChannelTile& n : tiles_.channels) tile(m, n);
        if (tiling_.gather_outputs) finish_output(m.m, {0, shape_.out_channels()});
      }
    }
    flush_stores(step_ + kStoreLag);
    return weights_end_;
  }

 private:
  // Weights -----------------------------------------------------------------------------------

  /// One block per tile, in the order of its first load, which is the same for all loop orders.
  void place_weights() {
    weights_end_ = addresses_.weights;
    first_block_ = program_.weights.size();
    if (!shape_.is_gemm) return;
    for (const ChannelTile& n : tiles_.channels) {
      for (const KTile& k : tiles_.k[n.width_group]) {
        if (all_) {
          WeightBlock& block = program_.weights.emplace_back();
          block.layer = layer_;
          block.tile.width_group = n.width_group;
          block.tile.groups = n.groups;
          block.tile.k = k.k;
          block.tile.n = n.n;
          block.dram_bit = weights_end_;
        }
        weights_end_ += weight_bits(n, k);
      }
    }
  }

  std::uint64_t weight_bits(const ChannelTile& n, const KTile& k) const {
    return u64(
        byte_aligned(n.groups.size() * n.n.size() * k.codes * groups_[n.width_group].weight_bits));
  }

  // Commands ----------------------------------------------------------------------------------

  /// Opens a command; its predecessors are then added with wait_for.
  CommandId add(Unit unit, std::size_t payload) {
    Command& command = program_.commands.emplace_back();
    command.unit = unit;
    command.layer = layer_;
    command.payload = static_cast<std::uint32_t>(payload);
    command.first_predecessor = static_cast<std::uint32_t>(program_.predecessors.size());
    return static_cast<CommandId>(program_.commands.size() - 1);
  }

  void wait_for(CommandId predecessor) {
    if (predecessor == kNone) return;
    program_.predecessors.push_back(predecessor);
    ++program_.commands.back().predecessor_count;
  }

  /// The first command of a queue must not run into the layer before: its last command is a store.
  void wait_for_layer_before(bool& waited) {
    if (!waited && program_.commands.back().predecessor_count == 0) wait_for(barrier_);
    waited = true;
  }

  /// A dma command whose patterns begin here; finish_dma comes after they have been appended.
  CommandId begin_dma(Buffer buffer, bool is_store) {
    DmaCommand& dma = program_.dma.emplace_back();
    dma.is_store = is_store;
    dma.buffer = buffer;
    dma.first_pattern = static_cast<std::uint32_t>(program_.patterns.size());
    return add(Unit::kDma, program_.dma.size() - 1);
  }

  void finish_dma(std::uint64_t bytes) {
    DmaCommand& dma = program_.dma.back();
    dma.bytes = bytes;
    if (all_) {
      dma.pattern_count = static_cast<std::uint32_t>(program_.patterns.size()) - dma.first_pattern;
    } else {
      program_.patterns.clear();
    }
  }

  void wait_for_readers(Slot& slot) {
    for (const CommandId reader : slot.readers) wait_for(reader);
    slot.readers.clear();
  }

  /// Records an array command as reader; those that finish before it need not be named any more.
  void add_reader(Slot& slot, CommandId reader) {
    const FoldNest& nest = program_.array.back().nest;
    while (!slot.readers.empty() &&
           finishes_after(
               array_, program_.array[program_.commands[slot.readers.back()].payload].nest, nest)) {
      slot.readers.pop_back();
    }
    slot.readers.push_back(reader);
  }

  // Loads -------------------------------------------------------------------------------------

  static bool holds(const Slot& slot, Range rows, Range cols, Range channels) {
    return slot.load != kNone && slot.region.rows == rows && slot.region.cols == cols &&
           slot.region.channels == channels;
  }

  /// The slot that holds the region, loaded if need be; none where it is empty.
  Slot* act_slot(Range rows, Range cols, Range channels) {
    if (rows.size() == 0) return nullptr;
    for (std::size_t i = 0; i < 2; ++i) {
      if (holds(act_[i], rows, cols, channels)) {
        recent_act_ = i;
        return &act_[i];
      }
    }
    recent_act_ = 1 - recent_act_;
    Slot& slot = act_[recent_act_];
    slot.region.rows = rows;
    slot.region.cols = cols;
    slot.region.channels = channels;
    slot.region.buffer_bit = recent_act_ * u64(half_.act);
    assert(region_bits(slot.region, shape_.in.bits) <= half_.act);
    slot.load = begin_dma(Buffer::kAct, false);
    finish_dma(load_region(shape_.in, addresses_.in, slot.region, program_.patterns));
    wait_for_readers(slot);
    return &slot;
  }

  Slot& weight_slot(std::size_t block, std::uint64_t bits) {
    for (std::size_t i = 0; i < 2; ++i) {
      if (weight_[i].load != kNone && weight_[i].block == block) {
        recent_weight_ = i;
        return weight_[i];
      }
    }
    recent_weight_ = 1 - recent_weight_;
    Slot& slot = weight_[recent_weight_];
    assert(bits <= u64(half_.weight));
    slot.block = block;
    slot.load = begin_dma(Buffer::kWeight, false);
    DmaPattern& pattern = program_.patterns.emplace_back();
    if (all_) pattern.dram_bit = program_.weights[first_block_ + block].dram_bit;
    pattern.run_bits = bits;
    pattern.buffer_bit = recent_weight_ * u64(half_.weight);
    finish_dma(touched_bytes(pattern));
    wait_for_readers(slot);
    return slot;
  }

  // Steps -------------------------------------------------------------------------------------

  /// One output tile: its K steps (or the input of the vector unit) and its vector command.
  void tile(const PixelTile& m, const ChannelTile& n) {
    if (shape_.is_gemm) {
      CommandId last = kNone;
      std::size_t block = n.block;
      for (const KTile& k : tiles_.k[n.width_group]) last = array_step(m, n, k, block++);
      vector_step(m, n, last, nullptr);
    } else {
      Slot* slot = act_slot(m.rows, m.cols, n.in);
      begin_step(m, n);
      const CommandId id = vector_step(m, n, slot != nullptr ? slot->load : kNone, slot);
      if (slot != nullptr) slot->readers.assign(1, id);
    }
    ++begun_;
    if (!tiling_.gather_outputs) finish_output(m.m, n.out);
  }

  CommandId array_step(const PixelTile& m, const ChannelTile& n, const KTile& k,
                       std::size_t block) {
    const WidthGroup& group = groups_[n.width_group];
    Slot& weights = weight_slot(block, weight_bits(n, k));
    Slot* acts = nullptr;
    if (tiling_.whole_act || k.k.size() == group.k_packed) {
      acts = act_slot(m.rows, m.cols, n.in);
    } else {
      const std::int64_t conv_group = group.groups[static_cast<std::size_t>(n.groups.begin)];
      const Region region =
          input_region(shape_, m.m, kernel_span(shape_, group.mode.lanes, k.k, conv_group));
      acts = act_slot(region.rows, region.cols, region.channels);
    }
    begin_step(m, n);

    const std::int64_t repeats = n.groups.size();
    program_.array.push_back(kNewArray);
    ArrayCommand& command = program_.array.back();
    command.nest = fold_nest(array_, group.mode, repeats, m.m.size(), k.k.size(), n.n.size());
    if (all_) {
      command.tile.width_group = n.width_group;
      command.tile.groups = n.groups;
      command.tile.m = m.m;
      command.tile.k = k.k;
      command.tile.n = n.n;
      if (acts != nullptr) command.act = acts->region;
      command.weight_bit = recent_weight_ * u64(half_.weight);
      command.acc_offset = acc_offset();
      command.accumulate = k.k.begin > 0;
      command.macs = u64(repeats * m.m.size() * n.n.size() * k.codes);
    }
    const CommandId id = add(Unit::kArray, program_.array.size() - 1);
    // dma commands finish in order, and the array has waited for those before.
    CommandId load = weights.load;
    if (acts != nullptr) load = std::max(load, acts->load);
    if (loads_seen_ == kNone || load > loads_seen_) {
      wait_for(load);
      loads_seen_ = load;
    }
    if (k.k.begin == 0) wait_for(acc_reader_[begun_ % 2]);
    wait_for_layer_before(array_waited_);
    add_reader(weights, id);
    if (acts != nullptr) add_reader(*acts, id);
    return id;
  }

  /// After a step's loads: the stores that are due, then the identity of a new output tile.
  void begin_step(const PixelTile& m, const ChannelTile& n) {
    ++step_;
    flush_stores(step_);
    if (output_open_) return;
    output_open_ = true;
    output_first_ = static_cast<std::uint32_t>(program_.outputs.size());
    const Range channels = tiling_.gather_outputs ? Range{0, shape_.out_channels()} : n.out;
    std::uint64_t at = out_slot() * u64(half_.out);
    for (const StoreShape& store : shape_.stores) {
      if (all_) {
        OutputTile& output = program_.outputs.emplace_back();
        output.channels = channels;
        output.buffer_bit = at;
      }
      at += u64(m.m.size() * byte_aligned(channels.size() * store.tensor.bits));
    }
    output_ready_ = stored_[out_slot()];
    if (shape_.has_identity) load_identity_tile(m.m, channels, at);
  }

  void load_identity_tile(Range m, Range channels, std::uint64_t at) {
    identity_.channels = identity_channels(shape_.identity, channels);
    identity_.buffer_bit = at;
    if (identity_.channels.size() == 0) return;
    // After the store that frees the slot: dma runs in order.
    output_ready_ = begin_dma(Buffer::kOut, false);
    finish_dma(load_identity(shape_, addresses_.identity, m, identity_, program_.patterns));
  }

  /// `input`: the slot that a layer without GEMM reads.
  CommandId vector_step(const PixelTile& m, const ChannelTile& n, CommandId input_ready,
                        const Slot* input) {
    const std::int64_t channels = shape_.is_gemm ? n.groups.size() * n.n.size() : n.n.size();
    program_.vector.push_back(kNewVector);
    VectorCommand& command = program_.vector.back();
    command.elements = u64(m.m.size() * channels);
    command.passes = shape_.passes;
    if (all_) describe_vector(m, n, input, command);
    vector_ = add(Unit::kVector, program_.vector.size() - 1);
    wait_for(input_ready);
    wait_for(output_ready_);
    output_ready_ = kNone;  // later commands of the tile come after this one
    wait_for_layer_before(vector_waited_);
    acc_reader_[begun_ % 2] = vector_;
    return vector_;
  }

  void describe_vector(const PixelTile& m, const ChannelTile& n, const Slot* input,
                       VectorCommand& command) const {
    command.tile.width_group = n.width_group;
    command.tile.groups = n.groups;
    command.tile.m = m.m;
    command.tile.n = n.n;
    if (shape_.is_gemm) {
      command.tile.k.end = groups_[n.width_group].k_packed;
      command.acc_offset = acc_offset();
    } else {
      if (input != nullptr) command.input = input->region;
      command.act_read_bits =
          command.elements * u64(shape_.window.kernel_h * shape_.window.kernel_w * shape_.in.bits);
    }
    if (shape_.has_identity) {
      command.identity.channels = identity_.channels;
      command.identity.buffer_bit = identity_.buffer_bit;
      command.out_read_bits = u64(m.m.size() * identity_codes(n) * shape_.identity.tensor.bits);
    }
    for (const StoreShape& store : shape_.stores) {
      command.out_write_bits += command.elements * u64(store.tensor.bits);
    }
    command.first_output = output_first_;
    command.output_count = static_cast<std::uint32_t>(shape_.stores.size());
  }

  /// Identity codes per pixel that a vector command reads.
  std::int64_t identity_codes(const ChannelTile& tile) const {
    if (groups_.size() <= 1) return identity_channels(shape_.identity, tile.out).size();
    const WidthGroup& group = groups_[tile.width_group];
    std::int64_t count = 0;
    for (std::int64_t g = tile.groups.begin; g < tile.groups.end; ++g) {
      const auto& channels = group.channels[static_cast<std::size_t>(g)];
      for (std::int64_t n = tile.n.begin; n < tile.n.end; ++n) {
        const std::int64_t c = channels[static_cast<std::size_t>(n)];
        count += identity_channels(shape_.identity, {c, c + 1}).size();
      }
    }
    return count;
  }

  // Stores ------------------------------------------------------------------------------------

  void finish_output(Range m, Range channels) {
    pending_.push_back({step_, vector_, m, channels, out_slot()});
    output_open_ = false;
    ++outputs_;
  }

  /// Emits the stores of steps up to `step` - kStoreLag.
  void flush_stores(std::int64_t step) {
    while (first_pending_ < pending_.size() && pending_[first_pending_].step + kStoreLag <= step) {
      emit_stores(pending_[first_pending_++]);
    }
  }

  void emit_stores(const PendingStore& pending) {
    OutputTile output;
    output.channels = pending.channels;
    output.buffer_bit = pending.slot * u64(half_.out);
    for (std::size_t i = 0; i < shape_.stores.size(); ++i) {
      const StoreShape& store = shape_.stores[i];
      stored_[pending.slot] = begin_dma(Buffer::kOut, true);
      finish_dma(
          store_tile(shape_, store, addresses_.stores[i], pending.m, output, program_.patterns));
      wait_for(pending.vector);
      output.buffer_bit +=
          u64(pending.m.size() * byte_aligned(pending.channels.size() * store.tensor.bits));
    }
  }

  std::size_t out_slot() const { return static_cast<std::size_t>(outputs_ % 2); }
  std::uint64_t acc_offset() const { return u64(begun_ % 2 * half_.sums); }

  const LayerShape& shape_;
  const std::vector<WidthGroup>& groups_;
  const Tiling& tiling_;
  const LayerTiles tiles_;
  const LayerAddresses& addresses_;
  const std::uint32_t layer_;
  const bool all_;  // not only what times follow from
  Program& program_;
  const ArraySpec& array_;
  const Footprint half_;

  CommandId barrier_ = kNone;  // the last store of the layer before
  bool array_waited_ = false, vector_waited_ = false;

  std::array<Slot, 2> act_, weight_;
  std::size_t recent_act_ = 1, recent_weight_ = 1;
  std::size_t first_block_ = 0;  // of the layer, in Program::weights
  std::uint64_t weights_end_ = 0;

  std::int64_t step_ = -1;          // of loads
  std::int64_t begun_ = 0;          // output tiles begun: accumulator slots alternate
  std::int64_t outputs_ = 0;        // stores begun: out-buffer slots alternate
  CommandId loads_seen_ = kNone;    // the latest load the array has waited for
  CommandId vector_ = kNone;        // the last vector command
  CommandId output_ready_ = kNone;  // what frees (and fills) the slot of the open output
  bool output_open_ = false;
  std::uint32_t output_first_ = 0;
  Region identity_;
  std::array<CommandId, 2> acc_reader_{kNone, kNone}, stored_{kNone, kNone};
  std::vector<PendingStore> pending_;
  std::size_t first_pending_ = 0;
};

}  // namespace

bool finishes_after(const ArraySpec& array, const FoldNest& earlier, const FoldNest& later) {
  const auto reach = [&](const FoldNest& nest) {
    const std::uint64_t cols = std::min<std::uint64_t>(array.cols, nest.cols_extent);
    if (array.dataflow != Dataflow::kOs) return cols;
    return cols + std::min<std::uint64_t>(array.rows, nest.rows_extent);
  };
  return later.stream + reach(later) >= reach(earlier);
}

ProgramSizes& ProgramSizes::operator+=(const ProgramSizes& o) {
  commands += o.commands, predecessors += o.predecessors, dma += o.dma, array += o.array;
  vector += o.vector, patterns += o.patterns, outputs += o.outputs, weights += o.weights;
  return *this;
}

ProgramSizes sizes_of(const Program& program) {
  return {program.commands.size(), program.predecessors.size(), program.dma.size(),
          program.array.size(),    program.vector.size(),       program.patterns.size(),
          program.outputs.size(),  program.weights.size()};
}

void reserve(Program& program, const ProgramSizes& sizes) {
  program.commands.reserve(sizes.commands);
  program.predecessors.reserve(sizes.predecessors + program.layers.size());  // barriers
  program.dma.reserve(sizes.dma);
  program.array.reserve(sizes.array);
  program.vector.reserve(sizes.vector);
  program.patterns.reserve(sizes.patterns);
  program.outputs.reserve(sizes.outputs);
  program.weights.reserve(sizes.weights);
}

std::uint64_t emit_layer(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                         const Tiling& tiling, const LayerAddresses& addresses, std::uint32_t layer,
                         Detail detail, Program& program) {
  return Emitter(shape, groups, tiling, addresses, layer, detail, program).run();
}

}  // namespace bitpulse
