// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/emit.h"

#include <algorithm>
#include <array>

#include "models/units.h"
#include "sim/schedule/input_slots.h"
#include "sim/schedule/layer_plan.h"
#include "sim/schedule/output_slots.h"
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
        acts_(commands_, shape, addresses, half_.act),
        weights_(commands_, groups, tiles_, addresses.weights, half_.weight),
        outputs_(commands_, shape, addresses, half_.out) {}

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
        if (tiling_.gather_outputs) outputs_.close(m.m, stored_channels({}), vector_);
      });
    }
    outputs_.store_all();
    return weights_.end();
  }

 private:
  template <class Body>
  void for_pixels(const ChannelTile& n, Body&& body) {
    const std::vector<PixelTile>& pixels = tiles_.pixels;
    for_tiles(
        pixels.size(), tiles_.pixel_repeats,
        [&](std::size_t i) {
          body(pixels[i]);
          is_given_up_ = commands_.is_given_up();
        },
        [&](std::size_t i) { return place_of(pixels[i], n); });
  }
  template <class Body>
  void for_channels(const PixelTile& m, Body&& body) {
    const std::vector<ChannelTile>& channels = tiles_.channels;
    for_tiles(
        channels.size(), tiles_.channel_repeats,
        [&](std::size_t i) {
          body(channels[i]);
          is_given_up_ = commands_.is_given_up();
        },
        [&](std::size_t i) { return place_of(m, channels[i]); });
  }
  static TilePlace place_of(const PixelTile& m, const ChannelTile& n, std::int64_t channel = 0,
                            std::size_t k_tile = 0) {
    return {m.rows.begin, m.cols.begin, n.in.begin + channel,
            static_cast<std::int64_t>(n.block + k_tile)};
  }

  /// Calls body(i) for all tiles. A trial that is in the same state a period later leaves out the
  /// periods that only repeat it, and ends early once it is given up.
  template <class Body, class PlaceOf>
  void for_tiles(std::size_t count, const Repeats& repeats, Body&& body, PlaceOf&& place_of) {
    if (repeats.period == 0) {
      for (std::size_t i = 0; i < count && !is_given_up_; ++i) body(i);
      return;
    }
    Checkpoint last;
    std::size_t due = 0;  // when `last` is to be compared; 0: there is none
    for (std::size_t i = 0; i < count && !is_given_up_; ++i) {
      if (i == due && i > 0) {
        const Checkpoint now = checkpoint(place_of(i));
        due = 0;
        if (now.state == last.state) {
          const std::size_t periods = (repeats.end[i - 1] - i) / repeats.period;
          repeat(last, now, periods);
          i += periods * repeats.period;
          if (i == count) return;
        } else if (repeats.reach_on(i)) {
          last = now;
          due = i + repeats.period;
        }
      } else if (due == 0 && repeats.reach_on(i)) {
        last = checkpoint(place_of(i));
        due = i + repeats.period;
      }
      body(i);
    }
  }

  /// A trial before a tile.
  struct Checkpoint {
    TrialState state;
    TilePlace place;
    Trial::Totals totals;
    std::int64_t steps = 0, tiles = 0, begun = 0;
  };

  Checkpoint checkpoint(TilePlace next) {
    UnitTimes now = commands_.trial().timer.times();
    // A vector command waits for an array command, which ends later than the next could start.
    if (shape_.is_gemm) now.vector = std::max(now.vector, now.array);
    Checkpoint point;
    point.place = next;
    point.totals = commands_.trial().totals();
    point.steps = outputs_.steps();
    point.tiles = outputs_.tiles();
    point.begun = begun_;
    TrialState& state = point.state;
    const auto vector = static_cast<std::int64_t>(now.vector);
    state.add(static_cast<std::int64_t>(now.dma) - vector);
    state.add(static_cast<std::int64_t>(now.array) - vector);
    state.add(static_cast<std::int64_t>(point.totals.cycles) - vector);
    state.add(begun_ % 2);
    for (const Mark mark : acc_reader_) state.add(mark, now.array);
    state.add(loads_seen_, now.array);
    state.add(vector_, now.dma);
    state.add(last_step_, now.vector);
    acts_.describe(state, now, next);
    weights_.describe(state, now, next);
    outputs_.describe(state, now);
    return point;
  }

  /// What has come since `from` comes so many times more.
  void repeat(const Checkpoint& from, const Checkpoint& to, std::size_t periods) {
    const auto times = static_cast<std::int64_t>(periods);
    Skip skip;
    skip.cycles = periods * (to.totals.cycles - from.totals.cycles);
    skip.steps = times * (to.steps - from.steps);
    skip.tiles = times * (to.tiles - from.tiles);
    skip.way = times * (to.place - from.place);
    commands_.trial().repeat(from.totals, periods);
    acts_.skip(skip);
    weights_.skip(skip);
    outputs_.skip(skip);
    begun_ += times * (to.begun - from.begun);
    for (Mark& mark : acc_reader_) skip.apply(mark);
    skip.apply(loads_seen_);
    skip.apply(vector_);
    skip.apply(last_step_);
  }

  /// One output tile: its K steps (or the input of the vector unit) and its vector command.
  void tile(const PixelTile& m, const ChannelTile& n) {
    if (shape_.is_gemm) {
      const std::vector<KTile>& k = tiles_.k[n.width_group];
      for_tiles(
          k.size(), tiles_.k_repeats[n.width_group],
          [&](std::size_t i) { last_step_ = array_step(m, n, k[i], n.block + i); },
          [&](std::size_t i) { return place_of(m, n, tiling_.whole_act ? 0 : k[i].channel, i); });
      vector_step(m, n, last_step_, nullptr);
    } else {
      ActSlot* slot = acts_.get(m.rows, m.cols, n.in);
      begin_step(m, n);
      const Mark id = vector_step(m, n, slot != nullptr ? slot->load : kNoMark, slot);
      if (slot != nullptr) set_reader(commands_, *slot, id);
    }
    ++begun_;
    if (!tiling_.gather_outputs) outputs_.close(m.m, stored_channels(n), vector_);
  }

  Range stored_channels(const ChannelTile& n) const {
    return tiling_.gather_outputs ? Range{0, shape_.out_channels()} : n.out;
  }

  void begin_step(const PixelTile& m, const ChannelTile& n) {
    outputs_.begin_step();
    outputs_.open(m.m, stored_channels(n));
  }

  /// The input of a K step, in its slot.
  ActSlot* act_slot(const PixelTile& m, const ChannelTile& n, const KTile& k) {
    const WidthGroup& group = groups_[n.width_group];
    if (tiling_.whole_act || k.k.size() == group.k_packed) return acts_.get(m.rows, m.cols, n.in);
    const std::int64_t conv_group = group.groups[static_cast<std::size_t>(n.groups.begin)];
    const Region region =
        input_region(shape_, m.m, kernel_span(shape_, group.mode.lanes, k.k, conv_group));
    return acts_.get(region.rows, region.cols, region.channels);
  }

  Mark array_step(const PixelTile& m, const ChannelTile& n, const KTile& k, std::size_t block) {
    const WidthGroup& group = groups_[n.width_group];
    WeightSlot& weights = weights_.get(block, n, k);
    ActSlot* acts = act_slot(m, n, k);
    begin_step(m, n);

    const std::int64_t repeats = n.groups.size();
    const FoldNest nest =
        fold_nest(array_, group.mode, repeats, m.m.size(), k.k.size(), n.n.size());
    if (!commands_.is_trial()) {
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
    if (loads_seen_ == kNoMark || load > loads_seen_) {
      commands_.wait_for(load);
      loads_seen_ = load;
    }
    if (k.k.begin == 0) commands_.wait_for(acc_reader_[begun_ % 2]);
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
    if (!commands_.is_trial()) {
      program_.vector.push_back(kNewVector);
      VectorCommand& command = program_.vector.back();
      command.elements = elements;
      command.passes = shape_.passes;
      describe_vector(m, n, input, command);
    }
    commands_.begin_vector();
    commands_.wait_for(input_ready);
    commands_.wait_for(outputs_.take_ready());
    commands_.wait_for_layer_before(vector_waited_);
    vector_ = commands_.end_vector(elements, shape_.passes);
    acc_reader_[begun_ % 2] = vector_;
    return vector_;
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
      command.identity.channels = outputs_.identity().channels;
      command.identity.buffer_bit = outputs_.identity().buffer_bit;
      command.out_read_bits = u64(m.m.size() * identity_codes(n) * shape_.identity.tensor.bits);
    }
    for (const StoreShape& store : shape_.stores) {
      command.out_write_bits += command.elements * u64(store.tensor.bits);
    }
    command.first_output = outputs_.first_output();
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

  std::uint64_t acc_offset() const { return u64(begun_ % 2 * half_.sums); }

  const LayerShape& shape_;
  const std::vector<WidthGroup>& groups_;
  const Tiling& tiling_;
  const LayerTiles& tiles_;
  Program& program_;
  const ArraySpec& array_;
  const Footprint half_;
  CommandList commands_;
  ActSlots acts_;
  WeightSlots weights_;
  OutputSlots outputs_;

  bool array_waited_ = false, vector_waited_ = false;  // for the layer before
  std::int64_t begun_ = 0;     // output tiles begun: accumulator slots alternate
  Mark loads_seen_ = kNoMark;  // the latest load the array has waited for
  Mark vector_ = kNoMark;      // the last vector command
  Mark last_step_ = kNoMark;   // the last array command
  bool is_given_up_ = false;   // the trial
  std::array<Mark, 2> acc_reader_{kNoMark, kNoMark};
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
