// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/tiling.h"

#include <algorithm>
#include <functional>

#include "models/units.h"

namespace bitpulse {

namespace {

/// Input rows and columns behind any tile of `m`: an upper bound over its positions.
struct Halo {
  std::int64_t rows = 0, cols = 0;
};

Halo largest_halo(const LayerShape& shape, const PixelTiling& m, std::int64_t kernel_rows,
                  std::int64_t kernel_cols) {
  const Window& w = shape.window;
  const bool in_one_row = m.row_parts > 0 || shape.out_w % m.size == 0;
  const std::int64_t all_rows = shape.batch * shape.out_h;
  std::int64_t out_rows = 1;
  if (!in_one_row) {
    out_rows =
        m.size % shape.out_w == 0 ? m.size / shape.out_w : ceil_div(m.size - 1, shape.out_w) + 1;
    out_rows = std::min(out_rows, all_rows);
  }
  Halo halo;
  halo.rows = (out_rows - 1) * w.stride_h + (kernel_rows - 1) * w.dilation_h + 1;
  // The hull of a tile that goes on in the next image has the rows that no window reads, and
  // clipping there saves no padding.
  const std::int64_t borders = shape.batch == 1 ? 0 : ceil_div(out_rows - 1, shape.out_h);
  const std::int64_t unread = std::max<std::int64_t>(0, shape.in.h - shape.out_h * w.stride_h);
  halo.rows += borders * (unread + w.pad_top + w.pad_bottom);
  halo.rows = std::min(halo.rows, std::min(borders + 1, shape.batch) * shape.in.h);
  halo.cols = shape.in.w;
  if (in_one_row && m.size < shape.out_w) {
    const std::int64_t hull = (m.size - 1) * w.stride_w + (kernel_cols - 1) * w.dilation_w + 1;
    halo.cols = std::min(halo.cols, hull);
  }
  return halo;
}

std::int64_t act_bits(const LayerShape& shape, const Tiling& tiling, std::int64_t kernel_rows,
                      std::int64_t kernel_cols, std::int64_t channels) {
  const Halo halo = largest_halo(shape, tiling.m, kernel_rows, kernel_cols);
  return halo.rows * halo.cols * byte_aligned(channels * shape.in.bits);
}

/// Act bits of the largest K tile of one convolution group.
std::int64_t act_bits_of_k_tile(const LayerShape& shape, const Tiling& tiling, std::int64_t lanes,
                                std::int64_t k_packed) {
  const std::int64_t per_position = ceil_div(shape.cin, lanes);
  const std::int64_t k = std::min(tiling.k, k_packed);
  const std::int64_t kw = shape.window.kernel_w;
  if (per_position % k == 0) {
    return act_bits(shape, tiling, 1, 1, std::min(k * lanes, shape.cin));
  }
  std::int64_t positions = ceil_div(k, per_position) + (k % per_position == 0 ? 0 : 1);
  positions = std::min(positions, shape.window.kernel_h * kw);
  const std::int64_t rows = std::min(shape.window.kernel_h, ceil_div(positions - 1, kw) + 1);
  return act_bits(shape, tiling, rows, kw, shape.cin);
}

/// Output channels of the largest tile of a width group.
std::int64_t tile_channels(const WidthGroup& group, const Tiling& tiling) {
  return std::min(tiling.groups, static_cast<std::int64_t>(group.groups.size())) *
         std::min(tiling.n, static_cast<std::int64_t>(group.channels.front().size()));
}

/// Convolution groups that a tile of `repeats` members reaches over: members of a width group need
/// not be neighbours.
std::int64_t group_span(const WidthGroup& group, std::int64_t repeats) {
  const std::size_t members = group.groups.size();
  const auto step = std::min(static_cast<std::size_t>(repeats), members);
  std::int64_t span = 0;
  for (std::size_t g = 0; g < members; g += step) {
    span = std::max(span, group.groups[std::min(g + step, members) - 1] - group.groups[g] + 1);
  }
  return span;
}

/// Descending sizes that cut `extent` units evenly into 1, 2, 4, 8, ... parts.
template <class Add>
void even_cuts(std::int64_t extent, Add&& add) {
  std::int64_t last = 0;
  for (std::int64_t parts = 1; last != 1; parts *= 2) {
    const std::int64_t size = ceil_div(extent, std::min(parts, extent));
    if (size != last) add(size);
    last = size;
  }
}

template <class Add>
void halvings(std::int64_t below, Add&& add) {
  for (std::int64_t size = below / 2; size >= 1; size /= 2) add(size);
}

/// Multiples of `unit` that cut `extent` evenly, then halves of the unit down to 1.
template <class Add>
void unit_cuts(std::int64_t extent, std::int64_t unit, Add&& add) {
  even_cuts(ceil_div(extent, unit),
            [&](std::int64_t units) { add(std::min(units * unit, extent)); });
  halvings(std::min(unit, extent), add);
}

void pixel_cuts(const LayerShape& shape, std::int64_t unit, std::vector<PixelTiling>& sizes) {
  if (unit > 1) {  // the pixels sit on a side of the array: whole folds of them
    return unit_cuts(shape.m, unit, [&](std::int64_t size) { sizes.push_back({size, 0}); });
  }
  even_cuts(shape.m / shape.out_w, [&](std::int64_t rows) {
    sizes.push_back({rows * shape.out_w, 0});
  });
  even_cuts(shape.out_w, [&](std::int64_t size) {
    if (size < shape.out_w) sizes.push_back({size, ceil_div(shape.out_w, size)});
  });
}

}  // namespace

std::int64_t FootprintOf::act(const Tiling& tiling) const {
  if (shape_.in_kept) return 0;
  const std::int64_t kh = shape_.window.kernel_h, kw = shape_.window.kernel_w;
  if (!shape_.is_gemm) return act_bits(shape_, tiling, kh, kw, std::min(tiling.n, shape_.cout));
  std::int64_t bits = 0;
  for (const WidthGroup& group : groups_) {
    if (!tiling.whole_act && tiling.k < group.k_packed) {
      bits = std::max(bits, act_bits_of_k_tile(shape_, tiling, group.mode.lanes, group.k_packed));
      continue;
    }
    const std::int64_t channels = group_span(group, tiling.groups) * shape_.cin;
    bits = std::max(bits, act_bits(shape_, tiling, kh, kw, channels));
  }
  return bits;
}

std::int64_t FootprintOf::weight(const Tiling& tiling) const {
  const std::int64_t codes = shape_.window.kernel_h * shape_.window.kernel_w * shape_.cin;
  std::int64_t bits = 0;
  for (const WidthGroup& group : groups_) {
    const std::int64_t k_codes =
        tiling.k < group.k_packed ? std::min(tiling.k * group.mode.lanes, codes) : codes;
    bits = std::max(bits, byte_aligned(tile_channels(group, tiling) * k_codes * group.weight_bits));
  }
  return bits;
}

std::int64_t FootprintOf::out_of_pixel(const Tiling& tiling) const {
  std::int64_t channels = shape_.is_gemm ? 0 : std::min(tiling.n, shape_.cout);
  for (const WidthGroup& group : groups_) {
    channels = std::max(channels, tile_channels(group, tiling));
  }
  if (tiling.gather_outputs) channels = shape_.out_channels();
  std::int64_t pixel_bits = 0;
  for (const StoreShape& store : shape_.stores) {
    pixel_bits += byte_aligned(channels * store.tensor.bits);
  }
  if (shape_.has_identity) {
    const TensorShape& identity = shape_.identity.tensor;
    pixel_bits += byte_aligned(std::min(channels, identity.c) * identity.bits);
  }
  return pixel_bits;
}

std::int64_t FootprintOf::sums_of_pixel(const Tiling& tiling) const {
  std::int64_t channels = 0;
  for (const WidthGroup& group : groups_) {
    channels = std::max(channels, tile_channels(group, tiling));
  }
  return channels;
}

Footprint FootprintOf::operator()(const Tiling& tiling) const {
  return {act(tiling), weight(tiling), out(tiling), sums(tiling)};
}

Footprint half_capacity(const Machine& machine, std::uint64_t kept_bits) {
  const auto half_bits = [](std::uint32_t kib) { return std::int64_t{kib} * 1024 * 8 / 2; };
  return {half_bits(machine.buffers.act_kib) - static_cast<std::int64_t>(kept_bits / 2),
          half_bits(machine.buffers.weight_kib), half_bits(machine.buffers.out_kib),
          half_bits(machine.buffers.acc_kib) / machine.array.acc_bits};
}

TileGrid tile_grid(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                   const ArraySpec& array) {
  constexpr std::size_t kUsualCuts = 24;
  TileGrid grid;
  grid.m.reserve(kUsualCuts);
  grid.channels.reserve(kUsualCuts);
  grid.k.reserve(kUsualCuts);
  if (!shape.is_gemm) {
    pixel_cuts(shape, 1, grid.m);
    even_cuts(shape.cout, [&](std::int64_t n) { grid.channels.push_back({1, n}); });
    grid.k = {1};
    return grid;
  }
  std::int64_t n = 0, k = 0;
  for (const WidthGroup& group : groups) {
    n = std::max(n, static_cast<std::int64_t>(group.channels.front().size()));
    k = std::max(k, group.k_packed);
  }
  const bool on_columns = array.dataflow != Dataflow::kIs;
  const std::int64_t unit = array.dataflow == Dataflow::kWs   ? 1
                            : array.dataflow == Dataflow::kOs ? array.rows
                                                              : array.cols;
  pixel_cuts(shape, unit, grid.m);
  even_cuts(shape.groups, [&](std::int64_t members) {
    if (members > 1) grid.channels.push_back({members, n});
  });
  unit_cuts(n, on_columns ? array.cols : 1, [&](std::int64_t size) {
    grid.channels.push_back({1, size});
  });
  even_cuts(ceil_div(k, array.rows),
            [&](std::int64_t folds) { grid.k.push_back(std::min(folds * array.rows, k)); });
  // Parts of one kernel position, which can have input tiles of their own.
  const std::int64_t per_position = ceil_div(shape.cin, groups.front().mode.lanes);
  if (per_position < k && per_position % array.rows == 0) {
    even_cuts(per_position / array.rows,
              [&](std::int64_t folds) { grid.k.push_back(folds * array.rows); });
    std::sort(grid.k.begin(), grid.k.end(), std::greater<>());
    grid.k.erase(std::unique(grid.k.begin(), grid.k.end()), grid.k.end());
  }
  if (array.dataflow == Dataflow::kOs) {
    halvings(std::min<std::int64_t>(array.rows, k),
             [&](std::int64_t size) { grid.k.push_back(size); });
  }
  return grid;
}

bool may_tile_act(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                  const TileGrid& grid, const Tiling& tiling) {
  if (tiling.m == grid.m.back()) return true;
  if (shape.window.kernel_h == 1 && shape.window.kernel_w == 1) return true;
  const std::int64_t per_position = ceil_div(shape.cin, groups.front().mode.lanes);
  return groups.size() == 1 && per_position % tiling.k == 0 && per_position / tiling.k > 2;
}

std::string describe(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                     const Tiling& tiling) {
  std::string text = "m " + std::to_string(std::min(tiling.m.size, shape.m));
  if (shape.is_gemm) {
    std::int64_t k = 0;
    for (const WidthGroup& group : groups) k = std::max(k, group.k_packed);
    text += ", k " + std::to_string(std::min(tiling.k, k));
  }
  text += ", n " + std::to_string(std::min(tiling.n, shape.cout));
  if (shape.groups > 1) text += ", groups " + std::to_string(tiling.groups);
  text += tiling.n_outer ? "; n outer" : "; m outer";
  if (!tiling.whole_act) text += ", act per k";
  if (tiling.gather_outputs) text += ", gathered store";
  return text;
}

}  // namespace bitpulse
