// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/tile_facts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "models/units.h"
#include "sim/schedule/regions.h"

namespace bitpulse {

namespace {

constexpr std::int64_t kFewTiles = 64;  // whose loads are worth counting for a bound

/// Input rows (or columns) that windows read; of dilated kernels, or of windows that leave gaps,
/// those of the first kernel row.
std::int64_t read_extent(std::int64_t out, std::int64_t stride, std::int64_t kernel,
                         std::int64_t dilation, std::int64_t pad, std::int64_t in) {
  if (dilation == 1 && kernel >= stride) {
    return std::clamp<std::int64_t>((out - 1) * stride + kernel - pad, 0, in);
  }
  const std::int64_t first = ceil_div(pad, stride),
                     last = std::min(out - 1, (in - 1 + pad) / stride);
  return std::max<std::int64_t>(0, last - first + 1);
}

/// What a sequence of ranges of input rows, or columns, comes to.
struct RangeSums {
  std::int64_t count = 0;  // of those that are not empty
  std::int64_t size = 0, largest = 0;
  bool distinct = true;  // no range equals the one before
  Range last{-1, -1};

  void add(Range range) {
    distinct = distinct && !(range == last);
    last = range;
    count += range.size() > 0 ? 1 : 0;
    size += range.size();
    largest = std::max(largest, range.size());
  }
};

/// Of the input rows of a grid's tiles below one another.
void add_rows(const LayerShape& shape, const PixelTiling& tiling, Range kernel_rows,
              RangeSums& sums) {
  tiling.for_rows(shape, [&](Range rows) { sums.add(input_rows(shape, rows, kernel_rows)); });
}

/// Of the input columns of its tiles beside one another.
void add_cols(const LayerShape& shape, const PixelTiling& tiling, Range kernel_cols,
              RangeSums& sums) {
  tiling.for_cols(shape, [&](Range cols) { sums.add(input_cols(shape, cols, kernel_cols)); });
}

/// The input of a grid of tiles; none where some may read the same.
std::optional<InputFacts> input_of_grid(const LayerShape& shape, const PixelTiling& tiling) {
  RangeSums rows, cols;
  add_rows(shape, tiling, {0, shape.window.kernel_h}, rows);
  add_cols(shape, tiling, {0, shape.window.kernel_w}, cols);
  if (!rows.distinct || !cols.distinct) return std::nullopt;
  InputFacts facts;
  facts.loads = rows.count * cols.count;
  facts.pixels = rows.size * cols.size;
  facts.most_pixels = rows.largest * cols.largest;
  const std::int64_t wide = cols.largest == shape.in.w ? 1 : 0;
  facts.spans = wide * rows.count + (cols.count - wide) * rows.size;
  return facts;
}

/// The same, tile after tile.
InputFacts input_in_turn(const LayerShape& shape, const PixelTiling& tiling) {
  InputFacts facts;
  const KernelSpan kernel = whole_kernel(shape, {0, 1});
  std::array<Region, 2> slots;  // the last two regions, the latest first
  const auto same = [](const Region& a, const Region& b) {
    return a.rows == b.rows && a.cols == b.cols;
  };
  const std::int64_t count = tiling.count(shape);
  for (std::int64_t i = 0; i < count; ++i) {
    const Region region = input_region(shape, tiling.tile(shape, i), kernel);
    const std::int64_t pixels = region.rows.size() * region.cols.size();
    if (pixels == 0) continue;
    if (same(region, slots[0])) {
      facts.shared = true;
    } else if (same(region, slots[1])) {
      facts.shared = true;
      std::swap(slots[0], slots[1]);
    } else {
      ++facts.loads;
      facts.pixels += pixels;
      facts.most_pixels = std::max(facts.most_pixels, pixels);
      facts.spans += region.cols.size() == shape.in.w ? 1 : region.rows.size();
      slots[1] = slots[0];
      slots[0] = region;
    }
  }
  return facts;
}

}  // namespace

PixelFacts pixel_facts(const LayerShape& shape, const PixelTiling& tiling) {
  PixelFacts facts;
  facts.tiling = tiling;
  facts.count = tiling.count(shape);
  facts.size = std::min(tiling.size, shape.m);
  if (tiling.row_parts > 0) {
    facts.last_size = last_of(shape.out_w, tiling.size);
    facts.last_tiles = facts.count / tiling.row_parts;
  } else {
    facts.last_size = last_of(shape.m, tiling.size);
    facts.last_tiles = 1;
  }
  return facts;
}

InputFacts input_facts(const LayerShape& shape, const PixelTiling& tiling) {
  std::optional<InputFacts> facts;
  if (tiling.is_grid(shape)) facts = input_of_grid(shape, tiling);
  if (!facts) facts = input_in_turn(shape, tiling);
  const Region first = input_region(shape, tiling.tile(shape, 0), whole_kernel(shape, {0, 1}));
  facts->first_pixels = first.rows.size() * first.cols.size();
  return *facts;
}

PositionFacts position_facts(const LayerShape& shape, const PixelTiling& tiling) {
  PositionFacts facts;
  if (tiling.is_grid(shape)) {
    const Window& w = shape.window;
    RangeSums rows, cols;
    for (std::int64_t y = 0; y < w.kernel_h; ++y) add_rows(shape, tiling, {y, y + 1}, rows);
    for (std::int64_t x = 0; x < w.kernel_w; ++x) add_cols(shape, tiling, {x, x + 1}, cols);
    facts.loads = rows.count * cols.count;
    facts.pixels = rows.size * cols.size;
    return facts;
  }
  const std::int64_t count = tiling.count(shape);
  for (std::int64_t i = 0; i < count; ++i) {
    const Range m = tiling.tile(shape, i);
    for (std::int64_t y = 0; y < shape.window.kernel_h; ++y) {
      for (std::int64_t x = 0; x < shape.window.kernel_w; ++x) {
        const Region region = input_region(shape, m, {{y, y + 1}, {x, x + 1}, {0, 1}});
        if (region.rows.size() == 0) continue;
        ++facts.loads;
        facts.pixels += region.rows.size() * region.cols.size();
      }
    }
  }
  return facts;
}

LeastLoads PixelLoads::find_least() {
  const Window& w = shape_.window;
  LeastLoads least;
  least.loads = 1;
  const bool few = tiling_.count(shape_) <= kFewTiles;
  if (few) least.again = input().loads > 2 && !input().shared;
  if (few && (!shape_.is_gemm || (w.kernel_h == 1 && w.kernel_w == 1))) {
    least.loads = input().loads;
    least.pixels = input().pixels;
  } else {  // K tiles may load kernel positions by themselves
    least.pixels =
        shape_.batch *
        read_extent(shape_.out_h, w.stride_h, w.kernel_h, w.dilation_h, w.pad_top, shape_.in.h) *
        read_extent(shape_.out_w, w.stride_w, w.kernel_w, w.dilation_w, w.pad_left, shape_.in.w);
  }
  if (least.pixels == 0) least = {};
  return least;
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
    const auto members = static_cast<std::int64_t>(group.groups.size());
    const auto channels = static_cast<std::int64_t>(group.channels.front().size());
    const std::int64_t group_tiles = ceil_div(members, tiling.groups);
    facts.group_tiles += group_tiles;
    facts.tiles += group_tiles * ceil_div(channels, tiling.n);
    facts.last_channels = last_of(members, tiling.groups) * last_of(channels, tiling.n);
  }
  facts.tiles_per_group = facts.tiles / facts.group_tiles;
  const WidthGroup& group = groups.front();
  facts.equal = groups.size() == 1 &&
                group.members() % std::min(tiling.groups, group.members()) == 0 &&
                group.channels_each() % std::min(tiling.n, group.channels_each()) == 0;
  return facts;
}

}  // namespace bitpulse
