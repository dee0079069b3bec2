// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/bounds.h"

#include <algorithm>

#include "models/units.h"
#include "sim/schedule/layer_plan.h"
#include "sim/schedule/regions.h"

namespace bitpulse {

namespace {

/// Cycles of a vector command beside its passes, by section 5.
constexpr std::uint64_t kVectorDepth = 4;

}  // namespace

LayerBounds::LayerBounds(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                         const Machine& machine)
    : shape_(shape), groups_(groups), machine_(machine), traffic_(shape, groups, machine) {
  vector_work_ = vector(shape_.m * shape_.out_channels()) - kVectorDepth;
}

/// A vector command over so many elements.
std::uint64_t LayerBounds::vector(std::int64_t elements) const {
  return kVectorDepth +
         u64(shape_.passes * ceil_div(elements, std::int64_t{machine_.vector.lanes}));
}

/// Intervals between the stream starts of row folds, each streaming `stream` cycles.
std::int64_t LayerBounds::row_folds_sum(std::int64_t extent, std::int64_t stream) const {
  const std::int64_t rows = machine_.array.rows, folds = ceil_div(extent, rows);
  return (folds - 1) * std::max(stream, rows) + std::max(stream, extent - (folds - 1) * rows);
}

/// Intervals between the stream starts of a nest's folds, the one to an equal next nest included.
std::int64_t LayerBounds::nest_sum(const FoldNest& nest, bool tiled_k) const {
  if (!machine_.array.overlap) {
    return static_cast<std::int64_t>(serial_cycles(nest, machine_.array));
  }
  const auto t = static_cast<std::int64_t>(nest.stream);
  const auto rows_extent = static_cast<std::int64_t>(nest.rows_extent);
  const std::int64_t tiles =
      std::int64_t{nest.repeats} * nest.passes *
      ceil_div(static_cast<std::int64_t>(nest.cols_extent), std::int64_t{machine_.array.cols});
  // os: K tiles of unequal length may follow one another faster than they drain.
  if (machine_.array.dataflow == Dataflow::kOs && tiled_k) {
    return tiles * ceil_div(rows_extent, std::int64_t{machine_.array.rows}) * t;
  }
  return tiles * row_folds_sum(rows_extent, t);
}

// What a nest of pixels x k x channels takes beyond its intervals, from the end of its loads to its
// last output: the sum of two.

std::int64_t LayerBounds::way_out_of_pixels(const PeMode& mode, std::int64_t pixels, std::int64_t k,
                                            bool tiled_k) const {
  if (!machine_.array.overlap) return 0;
  const std::int64_t rows = machine_.array.rows;
  switch (machine_.array.dataflow) {
    case Dataflow::kWs:
      return std::min({k, rows, pixels});
    case Dataflow::kIs:
      return rows + last_of(pixels, std::int64_t{machine_.array.cols}) - 2;
    case Dataflow::kOs:
      break;
  }
  const std::int64_t used = last_of(pixels, rows);
  return rows + (tiled_k ? used : std::min(used, k * mode.passes())) - 2;
}

std::int64_t LayerBounds::way_out_of_channels(std::int64_t channels, std::int64_t k) const {
  if (!machine_.array.overlap) return 0;
  const std::int64_t rows = machine_.array.rows, cols = machine_.array.cols;
  switch (machine_.array.dataflow) {
    case Dataflow::kWs:
      return rows + last_of(channels, cols) - 2;
    case Dataflow::kIs:
      return std::min({k, rows, channels});
    case Dataflow::kOs:
      break;
  }
  return last_of(channels, cols);
}

LayerBounds::Work LayerBounds::pixel_work(const WidthGroup& group, std::int64_t pixels) const {
  const std::int64_t rows = machine_.array.rows, cols = machine_.array.cols;
  const std::int64_t k = group.k_packed, passes = group.mode.passes();
  const std::int64_t k_folds = ceil_div(k, rows);
  switch (machine_.array.dataflow) {
    case Dataflow::kWs: {
      const std::int64_t one =
          machine_.array.overlap ? row_folds_sum(k, pixels) : k_folds * (pixels + rows - 2) + k;
      return {passes * one, passes * one, machine_.array.overlap ? 0 : passes * k_folds};
    }
    case Dataflow::kIs: {
      const std::int64_t one = passes * ceil_div(pixels, cols);
      return {one, one, machine_.array.overlap ? 0 : passes * pixels * k_folds};
    }
    case Dataflow::kOs:
      break;
  }
  const std::int64_t stream = k * passes, folds = ceil_div(pixels, rows);
  if (!machine_.array.overlap) {
    const std::int64_t one = folds * (stream + rows - 2) + pixels;
    return {one, one, folds};
  }
  // K tiles of unequal length may follow one another faster than they drain.
  return {row_folds_sum(pixels, stream), folds * stream, 0};
}

LayerBounds::Work LayerBounds::channel_work(const WidthGroup& group, std::int64_t channels) const {
  const std::int64_t rows = machine_.array.rows, k = group.k_packed;
  if (machine_.array.dataflow == Dataflow::kIs) {
    const std::int64_t one = machine_.array.overlap ? row_folds_sum(k, channels)
                                                    : ceil_div(k, rows) * (channels + rows - 2) + k;
    return {one, one, machine_.array.overlap ? 0 : 1};
  }
  const std::int64_t folds = ceil_div(channels, std::int64_t{machine_.array.cols});
  return {folds, folds, machine_.array.overlap ? 0 : channels};
}

void LayerBounds::add(PixelFacts& m) {
  m.work = work_.size();
  for (const WidthGroup& group : groups_) {
    Work work = m.last_tiles * pixel_work(group, m.last_size);
    const std::int64_t full = m.count - m.last_tiles;
    if (full > 0) work += full * pixel_work(group, m.tiling.size);
    work_.push_back(work);
  }
  if (groups_.empty()) return;
  const WidthGroup& last = groups_.back();
  const auto way_out = [&](bool tiled_k) {
    return way_out_of_pixels(last.mode, m.last_size, last.k_packed, tiled_k);
  };
  work_.push_back({way_out(false), way_out(true), 0});
}

void LayerBounds::add(ChannelFacts& channels) {
  channels.work = work_.size();
  for (const WidthGroup& group : groups_) {
    const std::int64_t all = group.channels_each(), size = std::min(channels.tiling.n, all);
    const std::int64_t full = (all - 1) / size;
    Work work = channel_work(group, all - full * size);
    if (full > 0) work += full * channel_work(group, size);
    work_.push_back(group.members() * work);
  }
  if (groups_.empty()) return;
  const WidthGroup& last = groups_.back();
  const std::int64_t way_out =
      way_out_of_channels(last_of(last.channels_each(), channels.tiling.n), last.k_packed);
  work_.push_back({way_out, way_out, 0});
}

std::uint64_t LayerBounds::array_cycles(const PixelFacts& m, const ChannelFacts& channels,
                                        bool tiled_k) const {
  if (!shape_.is_gemm) return 0;
  const Work *by_m = &work_[m.work], *by_n = &work_[channels.work];
  std::int64_t sum = 0;
  for (std::size_t g = 0; g < groups_.size(); ++g, ++by_m, ++by_n) {
    sum += (tiled_k ? by_m->tiled_k * by_n->tiled_k : by_m->whole_k * by_n->whole_k) +
           by_m->more * by_n->more;
  }
  sum += tiled_k ? by_m->tiled_k + by_n->tiled_k : by_m->whole_k + by_n->whole_k;
  // Between width groups the next preload may be shorter than the sum assumes.
  if (groups_.size() > 1 && machine_.array.overlap) {
    sum -= m.count * static_cast<std::int64_t>(groups_.size()) * machine_.array.rows;
  }
  return u64(std::max<std::int64_t>(sum, 0));
}

/// The last array command alone, from its loads to its last output.
std::uint64_t LayerBounds::last_command(const Tiling& tiling, const PixelFacts& m) const {
  const WidthGroup& group = groups_.back();
  const std::int64_t k = last_of(group.k_packed, tiling.k);
  const std::int64_t n = last_of(group.channels_each(), tiling.n);
  const std::int64_t repeats = last_of(group.members(), tiling.groups);
  const FoldNest nest = fold_nest(machine_.array, group.mode, repeats, m.last_size, k, n);
  return u64(std::max<std::int64_t>(0, nest_sum(nest, true) +
                                           way_out_of_pixels(group.mode, m.last_size, k, true) +
                                           way_out_of_channels(n, k)));
}

void LayerBounds::describe_steps(const PairBound& pair, const KCut& cut, const Tiling& tiling,
                                 KBound& k) const {
  const WidthGroup& group = groups_.front();
  const std::int64_t n = std::min(tiling.n, group.channels_each());
  const std::int64_t repeats = std::min(tiling.groups, group.members());
  const auto weight_load = [&](std::int64_t codes) {
    return static_cast<std::int64_t>(traffic_.weight_load(repeats * n * codes));
  };
  k.first_weights = weight_load(cut.first_codes);
  k.equal_steps = pair.channels.equal && pair.m.count > 1;
  if (!k.equal_steps) return;
  k.last_weights = weight_load(cut.last_codes);
  const PixelFacts& m = pair.m;
  k.step = nest_sum(fold_nest(machine_.array, group.mode, repeats, m.size, cut.size, n), false);
  k.way_out = std::min(way_out_of_pixels(group.mode, m.size, cut.size, true),
                       way_out_of_pixels(group.mode, m.last_size, cut.size, true)) +
              way_out_of_channels(n, cut.size);
  if (machine_.array.dataflow == Dataflow::kOs) k.way_out -= machine_.array.rows;  // hides a drain
  k.way_out = std::max<std::int64_t>(k.way_out, 0);
}

/// Where every step loads weights, its load waits for the slot of the step before the last; a new
/// input tile lengthens that wait. From the start of step j - 2 (j - 3) to that of step j pass at
/// least a step, its way out and the loads of step j (and j - 1), however the array could hurry.
std::uint64_t LayerBounds::waits_for_loads(const PairBound& pair, const KBound& k,
                                           const Tiling& tiling, const Traffic& act) const {
  if (!k.equal_steps || !tiling.whole_act || act.commands == 0) return 0;
  const InputFacts& input = pair.loads.input();
  if (input.shared) return 0;
  const auto above = [](std::int64_t time) { return std::max<std::int64_t>(0, time); };
  const auto inputs = static_cast<std::int64_t>(act.commands);
  const auto input_loads = static_cast<std::int64_t>(traffic_.cycles(act));
  const std::int64_t channel_tiles = pair.channels.tiles;
  const bool all_weights = (tiling.n_outer ? k.k_tiles : k.k_tiles * channel_tiles) > 2;
  if (!all_weights) {
    if (!tiling.n_outer) return 0;
    // Every tile loads its input, into the slot of the tile before the last. The first two wait
    // for none.
    const bool all_inputs = input.loads > 2;
    const bool no_empty = input.loads == pair.m.count;
    const auto largest = static_cast<std::int64_t>(pair.largest_act);
    const std::int64_t later_load = std::min(
        input_loads / inputs, (input_loads - 2 * largest) / std::max<std::int64_t>(1, inputs - 2));
    const std::int64_t by_inputs =
        all_inputs && no_empty
            ? above(inputs / 2 - 1) * above(later_load + k.way_out - k.k_tiles * k.step)
            : 0;
    // The first weights of the next channel tile take the slot of the last step but one.
    const std::int64_t first_input = all_inputs ? static_cast<std::int64_t>(pair.first_act) : 0;
    const std::int64_t by_weights =
        k.k_tiles == 2
            ? (channel_tiles - 1) * above(k.first_weights + first_input + k.way_out - k.step)
            : 0;
    return u64(std::max(by_inputs, by_weights));
  }
  const std::int64_t tiles = channel_tiles * pair.m.count;
  const std::int64_t per_step = above(k.first_weights + k.way_out - k.step);
  if (k.k_tiles == 1) return u64((tiles - 1) / 2 * per_step);
  // Of all inputs but that of the first tile, on average.
  const std::int64_t later_inputs = inputs - (pair.first_act > 0 ? 1 : 0);
  const std::int64_t input_load = (input_loads - static_cast<std::int64_t>(pair.first_act)) /
                                  std::max<std::int64_t>(1, later_inputs);
  // The window of three steps needs inputs that are as far apart.
  const bool apart = k.k_tiles > 2 || pair.channels.tiles_per_group > 1;
  const std::int64_t per_input = above(k.first_weights + input_load + k.way_out - k.step +
                                       (apart ? above(k.last_weights - k.step) : 0));
  const std::int64_t by_inputs = std::min(later_inputs, tiles - 1) * per_input;
  // Pairs of steps inside a tile, away from its first three.
  return u64(by_inputs + (tiles - 1) * (above(k.k_tiles - 3) / 2) * per_step);
}

std::uint64_t LayerBounds::first_outputs(const PixelFacts& m) const {
  if (!shape_.is_gemm) return 0;
  const std::int64_t size = m.count > m.last_tiles ? m.tiling.size : m.last_size;
  const FoldNest nest =
      fold_nest(machine_.array, groups_.front().mode, 1, size, groups_.front().k_packed, 1);
  return fold_count(nest, machine_.array) * nest.stream + machine_.array.rows - 1;
}

/// All vector commands.
std::uint64_t LayerBounds::vectors(const PixelFacts& m, const ChannelFacts& channels) const {
  return kVectorDepth * u64(m.count * channels.tiles) + vector_work_;
}

std::uint64_t LayerBounds::of_compute(const PixelFacts& m, const ChannelFacts& channels) const {
  const std::uint64_t array =
      array_cycles(m, channels, true) + vector(m.last_size * channels.last_channels);
  return std::max(array, vectors(m, channels));
}

std::uint64_t LayerBounds::of_tiles(const PixelFacts& m, const LeastLoads& loads,
                                    const ChannelFacts& channels, bool may_gather) const {
  const std::uint64_t last_store =
      traffic_.cycles(traffic_.store_of(m.last_size, channels.last_channels));
  Traffic out = traffic_.stores(m, channels, may_gather);
  out += traffic_.identity_loads(m, channels, may_gather);
  const auto with_loads = [&](bool n_outer) {
    Traffic all = traffic_.least_loads(m, loads, channels, n_outer);
    all += out;
    return traffic_.cycles(all);
  };
  return std::max(of_compute(m, channels) + last_store,
                  std::min(with_loads(false), with_loads(true)));
}

PairBound LayerBounds::pair(const PixelFacts& m, PixelLoads& loads,
                            const ChannelFacts& channels) const {
  PairBound pair{m, loads, channels, 0, 0, 0, 0, {}, 0, 0, {}, {}};
  pair.array_whole_k = array_cycles(m, channels, false);
  pair.array_tiled_k = array_cycles(m, channels, true);
  pair.last_vector = vector(m.last_size * channels.last_channels);
  pair.vectors = first_outputs(m) + vectors(m, channels);
  for (const bool n_outer : {false, true}) {
    pair.act[n_outer] = traffic_.act_loads(loads.input(), channels, n_outer);
  }
  pair.first_act = traffic_.act_load(loads.input().first_pixels, channels.tiling);
  pair.largest_act = traffic_.act_load(loads.input().most_pixels, channels.tiling);
  for (const bool gather : {false, true}) {
    pair.out[gather] = traffic_.stores(m, channels, gather);
    pair.out[gather] += traffic_.identity_loads(m, channels, gather);
    const std::int64_t last_channels = gather ? shape_.out_channels() : channels.last_channels;
    pair.last_store[gather] = traffic_.cycles(traffic_.store_of(m.last_size, last_channels));
  }
  return pair;
}

KCut LayerBounds::k_cut(std::int64_t size) const {
  if (!shape_.is_gemm) return {};
  const WidthGroup& group = groups_.front();
  KCut cut;
  cut.size = std::min(size, group.k_packed);
  cut.tiles = ceil_div(group.k_packed, cut.size);
  const auto codes = [&](std::int64_t k) { return codes_before(shape_, group.mode.lanes, k); };
  cut.first_codes = codes(cut.size);
  cut.last_codes = codes(group.k_packed) - codes((cut.tiles - 1) * cut.size);
  return cut;
}

KBound LayerBounds::k_tiles(const PairBound& pair, const KCut& cut, const Tiling& tiling) const {
  KBound k;
  if (!shape_.is_gemm) return k;
  k.k_tiles = k.most_k_tiles = cut.tiles;
  k.blocks = cut.tiles * pair.channels.tiles;
  if (groups_.size() > 1) {
    k.blocks = 0;
    for (const WidthGroup& group : groups_) {
      const std::int64_t tiles = ceil_div(group.k_packed, tiling.k);
      k.most_k_tiles = std::max(k.most_k_tiles, tiles);
      k.blocks += tiles * ceil_div(group.members(), tiling.groups) *
                  ceil_div(group.channels_each(), tiling.n);
    }
  }
  k.array = k.most_k_tiles == 1 ? pair.array_whole_k : pair.array_tiled_k;
  k.last_command = last_command(tiling, pair.m);
  describe_steps(pair, cut, tiling, k);
  return k;
}

LoadBound LayerBounds::loads(const PairBound& pair, const KBound& k, const Tiling& tiling) const {
  LoadBound loads;
  loads.all = tiling.whole_act ? pair.act[tiling.n_outer]
                               : traffic_.act_loads_of_k_tiles(tiling, pair.loads, pair.channels);
  loads.waits = waits_for_loads(pair, k, tiling, loads.all);
  loads.first = u64(k.first_weights) + (tiling.whole_act ? pair.first_act : 0);
  // Two slots keep two blocks; more of them are read again for every pixel tile.
  const std::int64_t in_turn = tiling.n_outer ? k.most_k_tiles : k.blocks;
  loads.all += traffic_.weight_loads(k.blocks, in_turn <= 2 ? 1 : pair.m.count);
  return loads;
}

TilingBound LayerBounds::operator()(const PairBound& pair, const KBound& k, const LoadBound& loads,
                                    bool gather) const {
  Traffic all = loads.all;
  all += pair.out[gather];
  const std::uint64_t last_store = pair.last_store[gather];
  const std::uint64_t last_steps = pair.last_vector + last_store;
  const std::uint64_t by_array = loads.first + k.array + last_steps + loads.waits;
  const std::uint64_t by_vector = loads.first + pair.vectors + last_store;
  // After the last loads come the last command, vector command and store.
  const std::uint64_t by_loads = traffic_.cycles(loads.all) + k.last_command + last_steps;
  const std::uint64_t by_dma = traffic_.cycles(all);
  return {std::max({by_dma, by_array, by_vector, by_loads}),
          all.bytes,
          {by_dma, k.array + last_steps},
          pair.m.count * (shape_.is_gemm ? k.blocks : pair.channels.tiles)};
}

}  // namespace bitpulse
