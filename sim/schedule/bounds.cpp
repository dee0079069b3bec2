// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/bounds.h"

#include <algorithm>
#include <cmath>

#include "models/units.h"
#include "sim/schedule/layer_plan.h"
#include "sim/schedule/regions.h"

namespace bitpulse {

namespace {

constexpr std::int64_t kVectorDepth = 4;  // section 5: cycles of a vector command beside its passes

std::uint64_t u64(std::int64_t value) { return static_cast<std::uint64_t>(value); }
std::int64_t bytes_of(std::int64_t bits) { return (bits + 7) / 8; }

/// A sum over tiles of `extent`: the full ones and the last.
template <class Term>
std::int64_t over_tiles(std::int64_t extent, std::int64_t tile, Term&& term) {
  const std::int64_t size = std::min(tile, extent), full = (extent - 1) / size;
  return (full > 0 ? full * term(size) : 0) + term(extent - full * size);
}

std::int64_t members_of(const WidthGroup& group) {
  return static_cast<std::int64_t>(group.groups.size());
}
std::int64_t channels_of(const WidthGroup& group) {
  return static_cast<std::int64_t>(group.channels.front().size());
}

}  // namespace

LayerBounds::LayerBounds(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                         const Machine& machine)
    : shape_(shape), groups_(groups), machine_(machine) {
  const DramSpec& dram = machine.dram;
  if (dram.model == DramModel::kFixed) {
    latency_ = dram.latency_cycles;
    cycles_per_byte_ = 1.0 / dram.bytes_per_cycle;
  } else {
    const DramTiming& t = dram.timing;
    cycles_per_byte_ = static_cast<double>(t.burst_clocks) * machine.clock_mhz /
                       (static_cast<double>(t.burst_bytes) * t.channels * t.dram_mhz);
  }
  const std::int64_t codes = shape.window.kernel_h * shape.window.kernel_w * shape.cin;
  for (const WidthGroup& group : groups) {
    weight_bytes_ += u64(bytes_of(group.channel_count() * codes * group.weight_bits));
  }
}

std::uint64_t LayerBounds::transfer(Traffic traffic) const {
  // A hair below, so that rounding of the product never lifts the bound above the truth.
  const double cycles = static_cast<double>(traffic.bytes) * cycles_per_byte_;
  return traffic.commands * latency_ + static_cast<std::uint64_t>(std::ceil(cycles * (1 - 1e-12)));
}

std::uint64_t LayerBounds::vector(std::int64_t commands, std::int64_t elements) const {
  return u64(kVectorDepth * commands +
             shape_.passes * ceil_div(elements, std::int64_t{machine_.vector.lanes}));
}

/// Intervals between the stream starts of a nest's folds, the one to an equal next nest included.
std::int64_t LayerBounds::nest_sum(const FoldNest& nest, bool tiled_k) const {
  const std::int64_t rows = machine_.array.rows, cols = machine_.array.cols;
  const auto t = static_cast<std::int64_t>(nest.stream);
  const auto rows_extent = static_cast<std::int64_t>(nest.rows_extent);
  const auto cols_extent = static_cast<std::int64_t>(nest.cols_extent);
  if (!machine_.array.overlap)
    return static_cast<std::int64_t>(serial_cycles(nest, machine_.array));
  const std::int64_t tiles = std::int64_t{nest.repeats} * nest.passes * ceil_div(cols_extent, cols);
  const std::int64_t row_folds = ceil_div(rows_extent, rows);
  // os: K tiles of unequal length may follow one another faster than they drain.
  if (machine_.array.dataflow == Dataflow::kOs && tiled_k) return tiles * row_folds * t;
  return tiles *
         ((row_folds - 1) * std::max(t, rows) + std::max(t, rows_extent - (row_folds - 1) * rows));
}

/// What a nest takes beyond its intervals, from the end of its loads to its last output.
std::int64_t LayerBounds::way_out(const FoldNest& nest, bool tiled_k) const {
  if (!machine_.array.overlap) return 0;
  const std::int64_t rows = machine_.array.rows, cols = machine_.array.cols;
  const auto t = static_cast<std::int64_t>(nest.stream);
  const std::int64_t c = last_of(static_cast<std::int64_t>(nest.cols_extent), cols);
  const auto rows_extent = static_cast<std::int64_t>(nest.rows_extent);
  if (machine_.array.dataflow == Dataflow::kOs) {
    const std::int64_t r = last_of(rows_extent, rows);
    return rows + r + c - 2 - (tiled_k ? 0 : std::max(t, r) - t);
  }
  const std::int64_t r = std::min(rows_extent, rows);
  return r + t - std::max(t, r) + rows + c - 2;
}

std::uint64_t LayerBounds::array_cycles(const PixelFacts& m, const ChannelFacts& channels,
                                        bool tiled_k) const {
  if (!shape_.is_gemm) return 0;
  const ArraySpec& array = machine_.array;
  std::int64_t sum = 0;
  FoldNest last;
  for (const WidthGroup& group : groups_) {
    const auto one = [&](std::int64_t pixels, std::int64_t n) {
      last = fold_nest(array, group.mode, 1, pixels, group.k_packed, n);
      return nest_sum(last, tiled_k);
    };
    const auto all_n = [&](std::int64_t pixels) {
      return over_tiles(channels_of(group), channels.tiling.n,
                        [&](std::int64_t n) { return one(pixels, n); });
    };
    const std::int64_t full = m.count - m.last_tiles;
    sum += members_of(group) *
           ((full > 0 ? full * all_n(m.tiling.size) : 0) + m.last_tiles * all_n(m.last_size));
  }
  sum += way_out(last, tiled_k);
  // Between width groups the next preload may be shorter than the sum assumes.
  if (groups_.size() > 1 && array.overlap) {
    sum -= m.count * static_cast<std::int64_t>(groups_.size()) * array.rows;
  }
  return u64(std::max<std::int64_t>(sum, 0));
}

/// The last array command alone, from its loads to its last output.
std::uint64_t LayerBounds::last_command(const Tiling& tiling, const PixelFacts& m) const {
  if (!shape_.is_gemm) return 0;
  const WidthGroup& group = groups_.back();
  const FoldNest nest =
      fold_nest(machine_.array, group.mode, last_of(members_of(group), tiling.groups), m.last_size,
                last_of(group.k_packed, tiling.k), last_of(channels_of(group), tiling.n));
  const std::int64_t sum = nest_sum(nest, true);
  return u64(std::max<std::int64_t>(0, sum + way_out(nest, true)));
}

/// Where every step loads weights, its load waits for the slot of the step before the last; a new
/// input tile lengthens that wait. From the start of step j - 2 (j - 3) to that of step j pass at
/// least a step, its way out and the loads of step j (and j - 1), however the array could hurry.
std::uint64_t LayerBounds::waits_for_loads(const Tiling& tiling, const PixelFacts& m,
                                           const InputFacts& input, const ChannelFacts& channels,
                                           Traffic act) const {
  if (!shape_.is_gemm || groups_.size() > 1 || m.count == 1) return 0;
  if (act.commands == 0 || input.shared || !tiling.whole_act) return 0;
  const WidthGroup& group = groups_.front();
  const std::int64_t n = std::min(tiling.n, channels_of(group));
  const std::int64_t repeats = std::min(tiling.groups, members_of(group));
  if (channels_of(group) % n != 0 || members_of(group) % repeats != 0) return 0;
  const std::int64_t k = std::min(tiling.k, group.k_packed);
  const std::int64_t k_tiles = ceil_div(group.k_packed, k);
  const FoldNest nest = fold_nest(machine_.array, group.mode, repeats, m.tiling.size, k, n);
  const FoldNest small = fold_nest(machine_.array, group.mode, repeats, m.last_size, k, n);
  const std::int64_t step = nest_sum(nest, false);
  std::int64_t out = std::min(way_out(nest, true), way_out(small, true));
  if (machine_.array.dataflow == Dataflow::kOs) out -= machine_.array.rows;  // may hide a drain
  const auto inputs = static_cast<std::int64_t>(act.commands);
  const auto input_load = static_cast<std::int64_t>(transfer(act)) / inputs;
  out = std::max<std::int64_t>(out, 0);
  const auto above = [](std::int64_t time) { return std::max<std::int64_t>(0, time); };
  const auto load = [&](std::int64_t from, std::int64_t to) {
    const std::int64_t codes =
        codes_before(shape_, group.mode.lanes, to) - codes_before(shape_, group.mode.lanes, from);
    const std::int64_t bits = repeats * n * codes * group.weight_bits;
    return static_cast<std::int64_t>(transfer({1, u64(bytes_of(bits))}));
  };
  const std::int64_t first = load(0, k), last = load((k_tiles - 1) * k, group.k_packed);
  const bool all_weights = (tiling.n_outer ? k_tiles : k_tiles * channels.tiles) > 2;
  if (!all_weights) {
    if (!tiling.n_outer) return 0;
    // Every tile loads its input, into the slot of the tile before the last.
    const bool all_inputs = input.loads > 2;
    const std::int64_t by_inputs =
        all_inputs ? above(inputs / 2 - 1) * above(input_load + out - k_tiles * step) : 0;
    // The first weights of the next channel tile take the slot of the last step but one.
    const std::int64_t first_input =
        all_inputs && input.first_pixels > 0
            ? static_cast<std::int64_t>(transfer(
                  {1, u64(input.first_pixels * bytes_of(repeats * shape_.cin * shape_.in.bits))}))
            : 0;
    const std::int64_t by_weights =
        k_tiles == 2 ? (channels.tiles - 1) * above(first + first_input + out - step) : 0;
    return u64(std::max(by_inputs, by_weights));
  }
  const std::int64_t tiles = channels.tiles * m.count;
  const std::int64_t per_step = above(first + out - step);
  if (k_tiles == 1) return u64((tiles - 1) / 2 * per_step);
  const std::int64_t per_input = above(first + last + input_load + out - 2 * step);
  const std::int64_t by_inputs = (std::min(inputs, tiles) - 1) * per_input;
  // Pairs of steps inside a tile, away from its first three.
  return u64(by_inputs + (tiles - 1) * (above(k_tiles - 3) / 2) * per_step);
}

LayerBounds::Traffic LayerBounds::act_loads(const Tiling& tiling, const InputFacts& input,
                                            const ChannelFacts& channels) const {
  const std::int64_t bits = shape_.in.bits;
  if (!shape_.is_gemm) {
    const std::int64_t pixel = bytes_of(shape_.cout * bits);
    return {u64(input.loads * channels.tiles), u64(input.pixels * pixel)};
  }
  if (groups_.size() > 1) {  // tiles of neighbouring width groups may share their input
    if (!tiling.whole_act) return {input.loads > 0 ? u64(1) : 0, 0};
    return {u64(input.loads), u64(input.pixels * bytes_of(shape_.cin * bits))};
  }
  if (!tiling.whole_act) return act_loads_of_k_tiles(tiling, input, channels);
  const std::int64_t again = channels.tiles / channels.group_tiles;  // channel tiles of a group
  const std::int64_t pixel = bytes_of(shape_.groups * shape_.cin * bits);
  std::int64_t loads = input.loads * channels.group_tiles;
  std::int64_t bytes = input.pixels * pixel;
  // Two slots keep two tiles; more of them are read again for every channel tile.
  if (tiling.n_outer && input.loads > 2 && !input.shared) {
    loads *= again;
    bytes *= again;
  }
  return {u64(loads), u64(bytes)};
}

LayerBounds::Traffic LayerBounds::act_loads_of_k_tiles(const Tiling& tiling,
                                                       const InputFacts& input,
                                                       const ChannelFacts& channels) const {
  const WidthGroup& group = groups_.front();
  const std::int64_t pixel = bytes_of(shape_.groups * shape_.cin * shape_.in.bits);
  const std::int64_t again = channels.tiles / channels.group_tiles;
  const std::int64_t per_position = ceil_div(shape_.cin, group.mode.lanes);
  if (per_position % tiling.k == 0 && per_position / tiling.k > 2) {
    // Three ranges of channels in turn never stay in two slots.
    const PositionFacts facts = position_facts(shape_, tiling.m);
    return {u64(facts.loads * (per_position / tiling.k) * channels.group_tiles * again),
            u64(facts.pixels * pixel * again)};
  }
  const Window& w = shape_.window;
  const bool padded = w.pad_top > 0 || w.pad_bottom > 0 || w.pad_left > 0 || w.pad_right > 0;
  if (w.kernel_h > 1 || w.kernel_w > 1 || padded || input.shared) {  // empty or shared tiles
    return {input.loads > 0 ? u64(channels.group_tiles) : 0, 0};
  }
  const std::int64_t k_tiles = ceil_div(group.k_packed, tiling.k);
  const std::int64_t in_turn = tiling.n_outer ? input.loads * k_tiles : k_tiles;
  const std::int64_t times = in_turn > 2 ? again : 1;
  return {u64(input.loads * k_tiles * channels.group_tiles * times),
          u64(input.pixels * pixel * times)};
}

LayerBounds::Traffic LayerBounds::weight_loads(const Tiling& tiling, const PixelFacts& m) const {
  if (!shape_.is_gemm) return {};
  std::int64_t blocks = 0, most_k_tiles = 0;
  for (const WidthGroup& group : groups_) {
    const std::int64_t k_tiles = ceil_div(group.k_packed, tiling.k);
    most_k_tiles = std::max(most_k_tiles, k_tiles);
    blocks += k_tiles * ceil_div(members_of(group), tiling.groups) *
              ceil_div(channels_of(group), tiling.n);
  }
  const std::int64_t in_turn = tiling.n_outer ? most_k_tiles : blocks;
  const std::uint64_t times = in_turn <= 2 ? 1 : u64(m.count);
  return {u64(blocks) * times, weight_bytes_ * times};
}

LayerBounds::Traffic LayerBounds::stores(std::int64_t tiles) const {
  Traffic traffic;
  for (const StoreShape& store : shape_.stores) {
    const std::int64_t bits = shape_.out_channels() * store.tensor.bits;
    // Slices of one pixel may share bytes.
    traffic +=
        {u64(tiles), u64(store.reorg > 1 ? bytes_of(shape_.m * bits) : shape_.m * bytes_of(bits))};
  }
  return traffic;
}

/// The stores of one tile.
LayerBounds::Traffic LayerBounds::store_of(std::int64_t pixels, std::int64_t channels) const {
  Traffic traffic;
  for (const StoreShape& store : shape_.stores) {
    traffic += {1, u64(bytes_of(pixels * channels * store.tensor.bits))};
  }
  return traffic;
}

LayerBounds::Traffic LayerBounds::identity_loads(std::int64_t tiles) const {
  if (!shape_.has_identity) return {};
  const TensorShape& identity = shape_.identity.tensor;
  const bool everywhere = identity.c == shape_.out_channels();
  return {everywhere ? u64(tiles) : 1, u64(shape_.m * bytes_of(identity.c * identity.bits))};
}

std::uint64_t LayerBounds::first_loads(const Tiling& tiling, const InputFacts& input) const {
  const std::int64_t bits = shape_.in.bits;
  const auto act = [&](std::int64_t channels) {
    if (input.first_pixels == 0) return std::uint64_t{0};
    return transfer({1, u64(input.first_pixels * bytes_of(channels * bits))});
  };
  if (!shape_.is_gemm) return act(std::min(tiling.n, shape_.cout));
  const WidthGroup& group = groups_.front();
  const std::int64_t repeats = std::min(tiling.groups, members_of(group));
  const std::int64_t codes =
      codes_before(shape_, group.mode.lanes, std::min(tiling.k, group.k_packed));
  const std::int64_t weights =
      bytes_of(repeats * std::min(tiling.n, channels_of(group)) * codes * group.weight_bits);
  return transfer({1, u64(weights)}) + (tiling.whole_act ? act(repeats * shape_.cin) : 0);
}

std::uint64_t LayerBounds::first_outputs(const PixelFacts& m) const {
  if (!shape_.is_gemm) return 0;
  const std::int64_t size = m.count > m.last_tiles ? m.tiling.size : m.last_size;
  const FoldNest nest =
      fold_nest(machine_.array, groups_.front().mode, 1, size, groups_.front().k_packed, 1);
  return fold_count(nest, machine_.array) * nest.stream + machine_.array.rows - 1;
}

std::uint64_t LayerBounds::of_tiles(const PixelFacts& m, const ChannelFacts& channels) const {
  const std::uint64_t last_store = transfer(store_of(m.last_size, channels.last_channels));
  const std::uint64_t vectors =
      vector(m.count * channels.tiles, shape_.m * shape_.out_channels()) + last_store;
  const std::uint64_t array = array_cycles(m, channels, true) +
                              vector(1, m.last_size * channels.last_channels) + last_store;
  Traffic least = stores(m.count);
  least += identity_loads(m.count);
  least += {0, weight_bytes_};
  return std::max({array, vectors, transfer(least)});
}

TilingBound LayerBounds::operator()(const Tiling& tiling, const PixelFacts& m,
                                    const InputFacts& input, const ChannelFacts& channels,
                                    std::uint64_t array) const {
  const Traffic act = act_loads(tiling, input, channels);
  const Traffic weight = weight_loads(tiling, m);
  const std::int64_t out_tiles = m.count * (tiling.gather_outputs ? 1 : channels.tiles);
  const Traffic identity = identity_loads(out_tiles);
  Traffic loads = act;
  loads += weight;
  Traffic all = loads;
  all += identity;
  all += stores(out_tiles);

  const std::int64_t last_channels =
      tiling.gather_outputs ? shape_.out_channels() : channels.last_channels;
  const std::uint64_t last_store = transfer(store_of(m.last_size, last_channels));
  const std::uint64_t last_steps = vector(1, m.last_size * channels.last_channels) + last_store;
  const std::uint64_t first = first_loads(tiling, input);
  const std::uint64_t by_array =
      first + array + last_steps + waits_for_loads(tiling, m, input, channels, act);
  const std::uint64_t by_vector =
      first + first_outputs(m) +
      vector(m.count * channels.tiles, shape_.m * shape_.out_channels()) + last_store;
  // After the last loads come the last command, vector command and store.
  const std::uint64_t by_loads = transfer(loads) + last_command(tiling, m) + last_steps;
  TilingBound bound;
  bound.bytes = all.bytes;
  bound.cycles = std::max({transfer(all), by_array, by_vector, by_loads});
  return bound;
}

}  // namespace bitpulse
