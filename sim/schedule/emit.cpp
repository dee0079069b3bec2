// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/emit.h"

#include <algorithm>

#include "models/units.h"
#include "sim/schedule/layer_plan.h"
#include "sim/schedule/layer_state.h"
#include "sim/schedule/patterns.h"
#include "sim/schedule/regions.h"
#include "sim/schedule/tiles.h"

namespace bitpulse {

namespace {

// Copies of these are faster than zeroing, for which the compiler calls a string instruction.
const ArrayCommand kNewArray;
const VectorCommand kNewVector;

/// The loops over a layer's tiles. A step is one array command, or one vector command of a layer
/// without GEMM.
class Emitter {
 public:
  Emitter(const LayerShape& shape, const std::vector<WidthGroup>& groups, const Tiling& tiling,
          const LayerTiles& tiles, const LayerAddresses& addresses, std::uint32_t layer,
          Program& program, Trial* trial)
      : shape_(shape),
        groups_(groups),
        tiling_(tiling),
        tiles_(tiles),
        program_(program),
        array_(program.machine.array),
        half_(half_capacity(program.machine, addresses.act_slots)),
        commands_(program, layer, trial),
        state_(commands_, shape, groups, tiles, addresses, half_) {}

  std::uint64_t run() {
    const PixelTile& first_m = tiles_.pixels.front();
    const ChannelTile& first_n = tiles_.channels.front();
    if (tiling_.n_outer) {
      for_channels(first_m, [&](const ChannelTile& n) {
        for_pixels(n, [&](const PixelTile& m) { tile(m, n); });
      });
    } else {
      for_pixels(first_n, [&](const PixelTile& m) {
        for_channels(m, [&](const ChannelTile& n) { tile(m, n); });
        if (tiling_.gather_outputs)
          state_.outputs.close(m.m, stored_channels({}), state_.last_vector);
      });
    }
    state_.outputs.store_all();
    return state_.weights.end();
  }

 private:
  template <class Body>
  void for_pixels(const ChannelTile& n, Body&& body) {
    for_list(tiles_.pixels, tiles_.pixel_repeats, body,
             [&](const PixelTile& m) { return place_of(m, n); });
  }
  template <class Body>
  void for_channels(const PixelTile& m, Body&& body) {
    for_list(tiles_.channels, tiles_.channel_repeats, body,
             [&](const ChannelTile& n) { return place_of(m, n); });
  }
  template <class Tile, class Body, class PlaceOf>
  void for_list(const std::vector<Tile>& tiles, const Repeats& repeats, Body&& body,
                PlaceOf&& place) {
    for_all(
        tiles.size(), repeats,
        [&](std::size_t i) {
          body(tiles[i]);
          is_given_up_ = commands_.is_given_up();
        },
        [&](std::size_t i) { return place(tiles[i]); });
  }
  static TilePlace place_of(const PixelTile& m, const ChannelTile& n, std::int64_t channel = 0,
                            std::size_t k_tile = 0) {
    return {m.rows.begin, m.cols.begin, n.in.begin + channel,
            static_cast<std::int64_t>(n.block + k_tile)};
  }

  /// Calls body(i) for all tiles; a trial ends early once it is given up.
  template <class Body, class PlaceOf>
  void for_all(std::size_t count, const Repeats& repeats, Body&& body, PlaceOf&& place_of) {
    using Checkpoint = LayerState::Checkpoint;
    for_tiles(
        count, repeats, is_given_up_, body,
        [&](std::size_t i) { return state_.checkpoint(place_of(i)); },
        [&](const Checkpoint& from, const Checkpoint& to, std::size_t times) {
          state_.repeat(from, to, times);
        });
  }

  /// One output tile: its K steps (or the input of the vector unit) and its vector command.
  void tile(const PixelTile& m, const ChannelTile& n) {
    if (shape_.is_gemm) {
      const std::vector<KTile>& k = tiles_.k[n.width_group];
      for_all(
          k.size(), tiles_.k_repeats[n.width_group],
          [&](std::size_t i) { state_.last_step = array_step(m, n, k[i], n.block + i); },
          [&](std::size_t i) { return place_of(m, n, tiling_.whole_act ? 0 : k[i].channel, i); });
      vector_step(m, n, state_.last_step, nullptr);
    } else {
      ActSlot* slot = state_.acts.get(m.rows, m.cols, n.in);
      begin_step(m, n);
      const Mark id = vector_step(m, n, slot != nullptr ? slot->load : kNoMark, slot);
      if (slot != nullptr) set_reader(commands_, *slot, id);
    }
    ++state_.begun;
    if (!tiling_.gather_outputs) state_.outputs.close(m.m, stored_channels(n), state_.last_vector);
  }

  Range stored_channels(const ChannelTile& n) const {
    return tiling_.gather_outputs ? Range{0, shape_.out_channels()} : n.out;
  }

  void begin_step(const PixelTile& m, const ChannelTile& n) {
    state_.outputs.begin_step();
    state_.outputs.open(m.m, stored_channels(n));
  }

  /// The input of a K step, in its slot.
  ActSlot* act_slot(const PixelTile& m, const ChannelTile& n, const KTile& k) {
    const WidthGroup& group = groups_[n.width_group];
    if (tiling_.whole_act || k.k.size() == group.k_packed)
      return state_.acts.get(m.rows, m.cols, n.in);
    const std::int64_t conv_group = group.groups[static_cast<std::size_t>(n.groups.begin)];
    const Region region =
        input_region(shape_, m.m, kernel_span(shape_, group.mode.lanes, k.k, conv_group));
    return state_.acts.get(region.rows, region.cols, region.channels);
  }

  Mark array_step(const PixelTile& m, const ChannelTile& n, const KTile& k, std::size_t block) {
    const WidthGroup& group = groups_[n.width_group];
    WeightSlot& weights = state_.weights.get(block, n, k);
    ActSlot* acts = act_slot(m, n, k);
    begin_step(m, n);

    const std::int64_t repeats = n.groups.size();
    const FoldNest nest =
        fold_nest(array_, group.mode, repeats, m.m.size(), k.k.size(), n.n.size());
    if (commands_.is_described()) {
      program_.array.push_back(kNewArray);
      ArrayCommand& command = program_.array.back();
      command.nest = nest;
      command.tile.width_group = n.width_group;
      command.tile.groups = n.groups;
      command.tile.m = m.m;
      command.tile.k = k.k;
      command.tile.n = n.n;
      if (acts != nullptr) command.act = acts->region;
      command.weight_bit = weights.buffer_bit;
      command.acc_offset = acc_offset();
      command.accumulate = k.k.begin > 0;
      command.macs = u64(repeats * m.m.size() * n.n.size() * k.codes);
    }
    commands_.begin_array();
    // dma commands finish in order, and the array has waited for those before.
    Mark load = weights.load;
    if (acts != nullptr && !shape_.in_kept) load = std::max(load, acts->load);
    if (state_.loads_seen == kNoMark || load > state_.loads_seen) {
      commands_.wait_for(load, Unit::kDma);
      state_.loads_seen = load;
    }
    if (k.k.begin == 0) commands_.wait_for(state_.acc_reader[state_.begun % 2], Unit::kVector);
    commands_.wait_for_layer_before(array_waited_);
    const Mark id = commands_.end_array(nest);
    add_reader(commands_, weights, id);
    if (acts != nullptr && !shape_.in_kept) add_reader(commands_, *acts, id);
    return id;
  }

  /// `input`: the slot that a layer without GEMM reads.
  Mark vector_step(const PixelTile& m, const ChannelTile& n, Mark input_ready,
                   const ActSlot* input) {
    const std::int64_t channels = shape_.is_gemm ? n.groups.size() * n.n.size() : n.n.size();
    const std::uint64_t elements = u64(m.m.size() * channels);
    if (commands_.is_described()) {
      program_.vector.push_back(kNewVector);
      VectorCommand& command = program_.vector.back();
      command.elements = elements;
      command.passes = shape_.passes;
      describe_vector(m, n, input, command);
    }
    commands_.begin_vector();
    commands_.wait_for(input_ready, shape_.is_gemm ? Unit::kArray : Unit::kDma);
    commands_.wait_for(state_.outputs.take_ready(), Unit::kDma);
    commands_.wait_for_layer_before(vector_waited_);
    state_.last_vector = commands_.end_vector(elements, shape_.passes);
    state_.acc_reader[state_.begun % 2] = state_.last_vector;
    return state_.last_vector;
  }

  void describe_vector(const PixelTile& m, const ChannelTile& n, const ActSlot* input,
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
      command.identity.channels = state_.outputs.identity().channels;
      command.identity.buffer_bit = state_.outputs.identity().buffer_bit;
      command.out_read_bits = u64(m.m.size() * identity_codes(n) * shape_.identity.tensor.bits);
    }
    for (const StoreShape& store : shape_.stores) {
      command.out_write_bits += command.elements * u64(store.tensor.bits);
    }
    command.first_output = state_.outputs.first_output();
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

  std::uint64_t acc_offset() const { return u64(state_.begun % 2 * half_.sums); }

  const LayerShape& shape_;
  const std::vector<WidthGroup>& groups_;
  const Tiling& tiling_;
  const LayerTiles& tiles_;
  Program& program_;
  const ArraySpec& array_;
  const Footprint half_;
  CommandList commands_;
  LayerState state_;

  bool array_waited_ = false, vector_waited_ = false;  // for the layer before
  bool is_given_up_ = false;                           // the trial
};

}  // namespace

std::uint64_t emit_layer(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                         const Tiling& tiling, const LayerAddresses& addresses, std::uint32_t layer,
                         Program& program, Trial* trial) {
  LayerTiles own;
  LayerTiles& tiles = trial != nullptr ? trial->tiles : own;
  cut_layer(shape, groups, tiling, tiles);
  if (trial != nullptr && !trial->needs_addresses) find_repeats(shape, groups, tiling, tiles);
  return Emitter(shape, groups, tiling, tiles, addresses, layer, program, trial).run();
}

}  // namespace bitpulse
