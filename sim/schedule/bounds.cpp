// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/bounds.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "models/units.h"
#include "sim/schedule/layer_plan.h"
#include "sim/schedule/regions.h"

namespace bitpulse {

namespace {

constexpr std::int64_t kVectorDepth = 4;  // section 5: cycles of a vector command beside its passes

std::uint64_t u64(std::int64_t value) { return static_cast<std::uint64_t>(value); }
std::int64_t bytes_of(std::int64_t bits) { return (bits + 7) / 8; }

/// The size of the last of the tiles that cut `extent`.
std::int64_t last_of(std::int64_t extent, std::int64_t tile) { return (extent - 1) % tile + 1; }

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

PixelFacts pixel_facts(const LayerShape& shape, const PixelTiling& tiling) {
  PixelFacts facts;
  facts.tiling = tiling;
  facts.count = tiling.count(shape);
  if (tiling.row_parts > 0) {
    facts.last_size = last_of(shape.out_w, tiling.size);
    facts.last_tiles = facts.count / tiling.row_parts;
  } else {
    facts.last_size = last_of(shape.m, tiling.size);
    facts.last_tiles = 1;
  }
  const KernelSpan kernel = whole_kernel(shape, {0, 1});
  std::array<Region, 2> slots;  // the last two regions, the latest first
  const auto same = [](const Region& a, const Region& b) {
    return a.rows == b.rows && a.cols == b.cols;
  };
  for (std::int64_t i = 0; i < facts.count; ++i) {
    const Region region = input_region(shape, tiling.tile(shape, i), kernel);
    const std::int64_t pixels = region.rows.size() * region.cols.size();
    if (i == 0) facts.first_in_pixels = pixels;
    if (pixels == 0) continue;
    if (same(region, slots[0])) {
      facts.shared = true;
    } else if (same(region, slots[1])) {
      facts.shared = true;
      std::swap(slots[0], slots[1]);
    } else {
      ++facts.loads;
      facts.in_pixels += pixels;
      slots[1] = slots[0];
      slots[0] = region;
    }
  }
  return facts;
}

ChannelFacts channel_facts(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                           const ChannelTiling& tiling) {
  ChannelFacts facts;
  facts.tiling = tiling;
  if (!shape.is_gemm) {
    facts.tiles = facts.group_tiles = ceil_div(shape.cout, tiling.n);
    facts.last_channels = last_of(shape.cout, tiling.n);
    return facts;
  }
  for (const WidthGroup& group : groups) {
    const std::int64_t group_tiles = ceil_div(members_of(group), tiling.groups);
    facts.group_tiles += group_tiles;
    facts.tiles += group_tiles * ceil_div(channels_of(group), tiling.n);
    facts.last_channels =
        last_of(members_of(group), tiling.groups) * last_of(channels_of(group), tiling.n);
  }
  return facts;
}

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

std::uint64_t LayerBounds::array_cycles(const PixelFacts& m, const ChannelFacts& channels,
                                        bool tiled_k) const {
  if (!shape_.is_gemm) return 0;
  const std::int64_t rows = machine_.array.rows, cols = machine_.array.cols;
  const Dataflow dataflow = machine_.array.dataflow;
  const bool overlap = machine_.array.overlap;
  std::int64_t sum = 0;
  // Row folds of `extent` streaming t, with c columns in all of f column folds.
  const auto folds = [&](std::int64_t extent, std::int64_t t, std::int64_t f, std::int64_t c) {
    if (!overlap) {
      return over_tiles(extent, rows, [&](std::int64_t r) { return f * (t + rows + r - 2) + c; });
    }
    if (dataflow == Dataflow::kOs && tiled_k) return ceil_div(extent, rows) * f * t;
    return over_tiles(extent, rows, [&](std::int64_t r) { return f * std::max(t, r); });
  };
  const auto over_m = [&](auto&& term) {
    const std::int64_t full = m.count - m.last_tiles;
    return (full > 0 ? full * term(m.tiling.size) : 0) + m.last_tiles * term(m.last_size);
  };
  for (const WidthGroup& group : groups_) {
    const std::int64_t n = channels_of(group), k = group.k_packed, p = group.mode.passes();
    const std::int64_t col_folds =
        over_tiles(n, channels.tiling.n, [&](std::int64_t size) { return ceil_div(size, cols); });
    std::int64_t one = 0;
    switch (dataflow) {
      case Dataflow::kWs:
        one = p * over_m([&](std::int64_t t) { return folds(k, t, col_folds, n); });
        break;
      case Dataflow::kIs:
        one = p * over_m([&](std::int64_t size) {
                return over_tiles(n, channels.tiling.n, [&](std::int64_t t) {
                  return folds(k, t, ceil_div(size, cols), size);
                });
              });
        break;
      case Dataflow::kOs:
        one = over_m([&](std::int64_t size) { return folds(size, k * p, col_folds, n); });
        break;
    }
    sum += members_of(group) * one;
  }
  if (!overlap) return u64(sum);

  // The last fold's interval gives way to its way out; the first preload comes before all.
  const WidthGroup& last = groups_.back();
  const std::int64_t last_n = last_of(channels_of(last), channels.tiling.n);
  if (dataflow == Dataflow::kOs) {
    const std::int64_t t = last.k_packed * last.mode.passes();
    const std::int64_t r = last_of(m.last_size, rows);
    sum += rows + r + last_of(last_n, cols) - 2 - (tiled_k ? 0 : std::max(t, r) - t);
    return u64(sum);
  }
  const bool ws = dataflow == Dataflow::kWs;
  const std::int64_t t = ws ? m.last_size : last_n;
  const std::int64_t c = last_of(ws ? last_n : m.last_size, cols);
  const std::int64_t r = std::min(last.k_packed, rows);
  sum += r + t - std::max(t, r) + rows + c - 2;
  // Between width groups the next preload may be shorter than the sum assumes.
  if (groups_.size() > 1) sum -= m.count * static_cast<std::int64_t>(groups_.size()) * rows;
  return u64(std::max<std::int64_t>(sum, 0));
}

LayerBounds::Traffic LayerBounds::act_loads(const Tiling& tiling, const PixelFacts& m,
                                            const ChannelFacts& channels) const {
  const std::int64_t bits = shape_.in.bits;
  if (!shape_.is_gemm) {
    const std::int64_t pixel = bytes_of(shape_.cout * bits);
    return {u64(m.loads * channels.tiles), u64(m.in_pixels * pixel)};
  }
  if (groups_.size() > 1) {  // tiles of neighbouring width groups may share their input
    if (!tiling.whole_act) return {m.loads > 0 ? u64(1) : 0, 0};
    return {u64(m.loads), u64(m.in_pixels * bytes_of(shape_.cin * bits))};
  }
  const std::int64_t again = channels.tiles / channels.group_tiles;  // channel tiles of a group
  const std::int64_t pixel = bytes_of(shape_.groups * shape_.cin * bits);
  if (!tiling.whole_act) return act_loads_of_k_tiles(tiling, m, channels, pixel);
  std::int64_t loads = m.loads * channels.group_tiles;
  std::int64_t bytes = m.in_pixels * pixel;
  // Two slots keep two tiles; more of them are read again for every channel tile.
  if (tiling.n_outer && m.loads > 2 && !m.shared) {
    loads *= again;
    bytes *= again;
  }
  return {u64(loads), u64(bytes)};
}

LayerBounds::Traffic LayerBounds::act_loads_of_k_tiles(const Tiling& tiling, const PixelFacts& m,
                                                       const ChannelFacts& channels,
                                                       std::int64_t pixel) const {
  const Window& w = shape_.window;
  const bool padded = w.pad_top > 0 || w.pad_bottom > 0 || w.pad_left > 0 || w.pad_right > 0;
  if (w.kernel_h > 1 || w.kernel_w > 1 || padded || m.shared) {  // tiles may be empty or shared
    return {m.loads > 0 ? u64(channels.group_tiles) : 0, 0};
  }
  const std::int64_t k_tiles = ceil_div(groups_.front().k_packed, tiling.k);
  const std::int64_t again = channels.tiles / channels.group_tiles;
  const std::int64_t in_turn = tiling.n_outer ? m.loads * k_tiles : k_tiles;
  const std::int64_t times = in_turn > 2 ? again : 1;
  return {u64(m.loads * k_tiles * channels.group_tiles * times), u64(m.in_pixels * pixel * times)};
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
    traffic.commands += u64(tiles);
    const std::int64_t bits = shape_.out_channels() * store.tensor.bits;
    // Slices of one pixel may share bytes.
    traffic.bytes += u64(store.reorg > 1 ? bytes_of(shape_.m * bits) : shape_.m * bytes_of(bits));
  }
  return traffic;
}

LayerBounds::Traffic LayerBounds::identity_loads(std::int64_t tiles) const {
  if (!shape_.has_identity) return {};
  const TensorShape& identity = shape_.identity.tensor;
  const bool everywhere = identity.c == shape_.out_channels();
  return {everywhere ? u64(tiles) : 1, u64(shape_.m * bytes_of(identity.c * identity.bits))};
}

std::uint64_t LayerBounds::first_loads(const Tiling& tiling, const PixelFacts& m) const {
  const std::int64_t bits = shape_.in.bits;
  const auto act = [&](std::int64_t channels) {
    if (m.first_in_pixels == 0) return std::uint64_t{0};
    return transfer({1, u64(m.first_in_pixels * bytes_of(channels * bits))});
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

TilingBound LayerBounds::operator()(const Tiling& tiling, const PixelFacts& m,
                                    const ChannelFacts& channels,
                                    std::uint64_t array_cycles) const {
  const Traffic act = act_loads(tiling, m, channels);
  const Traffic weight = weight_loads(tiling, m);
  const std::int64_t out_tiles = m.count * (tiling.gather_outputs ? 1 : channels.tiles);
  const Traffic store = stores(out_tiles);
  const Traffic identity = identity_loads(out_tiles);
  TilingBound bound;
  bound.bytes = act.bytes + weight.bytes + store.bytes + identity.bytes;
  const std::uint64_t dma =
      transfer({act.commands + weight.commands + store.commands + identity.commands, bound.bytes});

  const std::int64_t last_channels =
      tiling.gather_outputs ? shape_.out_channels() : channels.last_channels;
  std::uint64_t last_store = 0;
  for (const StoreShape& s : shape_.stores) {
    last_store += transfer({1, u64(m.last_size * bytes_of(last_channels * s.tensor.bits))});
  }
  const std::uint64_t last_steps = vector(1, m.last_size * channels.last_channels) + last_store;
  const std::uint64_t first = first_loads(tiling, m);
  const std::uint64_t by_array = first + array_cycles + last_steps;
  const std::uint64_t by_vector =
      first + first_outputs(m) +
      vector(m.count * channels.tiles, shape_.m * shape_.out_channels()) + last_store;
  const std::uint64_t by_loads =
      transfer({act.commands + weight.commands, act.bytes + weight.bytes}) +
      (shape_.is_gemm ? machine_.array.rows : 0) + last_steps;
  bound.cycles = std::max({dma, by_array, by_vector, by_loads});
  return bound;
}

}  // namespace bitpulse
