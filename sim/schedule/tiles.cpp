// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/tiles.h"

#include <algorithm>

#include "models/units.h"
#include "sim/schedule/regions.h"

namespace bitpulse {

namespace {

void cut_grid(const LayerShape& shape, const PixelTiling& tiling, std::vector<PixelTile>& tiles) {
  const KernelSpan kernel = whole_kernel(shape, {0, 0});
  tiling.for_rows(shape, [&](Range rows) {
    const Range in_rows = input_rows(shape, rows, kernel.rows);
    tiling.for_cols(shape, [&](Range cols) {
      const Range m{rows.begin * shape.out_w + cols.begin, (rows.end - 1) * shape.out_w + cols.end};
      const Range in_cols = input_cols(shape, cols, kernel.cols);
      const bool empty = in_rows.size() == 0 || in_cols.size() == 0;  // nothing but padding
      tiles.push_back(empty ? PixelTile{m, {0, 0}, {0, 0}} : PixelTile{m, in_rows, in_cols});
    });
  });
}

void cut_pixels(const LayerShape& shape, const PixelTiling& tiling, std::vector<PixelTile>& tiles) {
  tiles.clear();
  const std::int64_t count = tiling.count(shape);
  tiles.reserve(static_cast<std::size_t>(count));
  if (tiling.is_grid(shape)) return cut_grid(shape, tiling, tiles);
  const KernelSpan kernel = whole_kernel(shape, {0, 0});
  for (std::int64_t i = 0; i < count; ++i) {
    const Range m = tiling.tile(shape, i);
    const Region region = input_region(shape, m, kernel);
    tiles.push_back({m, region.rows, region.cols});
  }
}

void cut_k(const LayerShape& shape, const WidthGroup& group, std::int64_t size,
           std::vector<KTile>& tiles) {
  const std::int64_t per_position = ceil_div(shape.cin, std::int64_t{group.mode.lanes});
  tiles.clear();
  std::int64_t before = 0;
  for (std::int64_t k = 0; k < group.k_packed; k += size) {
    const std::int64_t end = std::min(k + size, group.k_packed);
    const std::int64_t codes = codes_before(shape, group.mode.lanes, end);
    const std::int64_t channel = k % per_position * group.mode.lanes;
    tiles.push_back({{k, end}, codes - before, channel});
    before = codes;
  }
}

void cut_pool_channels(const LayerShape& shape, std::int64_t size,
                       std::vector<ChannelTile>& tiles) {
  ChannelTile tile;
  for (std::int64_t n = 0; n < shape.cout; n += size) {
    tile.n = tile.in = tile.out = {n, std::min(n + size, shape.cout)};
    tiles.push_back(tile);
  }
}

void cut_gemm_channels(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                       const Tiling& tiling, const std::vector<std::vector<KTile>>& k_tiles,
                       std::vector<ChannelTile>& tiles) {
  ChannelTile tile;
  for (std::size_t w = 0; w < groups.size(); ++w) {
    tile.width_group = static_cast<std::uint32_t>(w);
    const std::vector<std::int64_t>& members = groups[w].groups;
    const auto count = static_cast<std::int64_t>(members.size());
    const auto channels = static_cast<std::int64_t>(groups[w].channels.front().size());
    for (std::int64_t g = 0; g < count; g += tiling.groups) {
      tile.groups = {g, std::min(g + tiling.groups, count)};
      tile.in = {members[static_cast<std::size_t>(g)] * shape.cin,
                 (members[static_cast<std::size_t>(tile.groups.end - 1)] + 1) * shape.cin};
      for (std::int64_t n = 0; n < channels; n += tiling.n) {
        tile.n = {n, std::min(n + tiling.n, channels)};
        tile.out = {g * shape.cout + n, (tile.groups.end - 1) * shape.cout + tile.n.end};
        tiles.push_back(tile);
        tile.block += k_tiles[w].size();
      }
    }
  }
}

}  // namespace

void cut_layer(const LayerShape& shape, const std::vector<WidthGroup>& groups, const Tiling& tiling,
               LayerTiles& tiles) {
  tiles.pixel_repeats.period = tiles.channel_repeats.period = 0;
  for (Repeats& repeats : tiles.k_repeats) repeats.period = 0;
  cut_pixels(shape, tiling.m, tiles.pixels);
  tiles.k.resize(groups.size());
  tiles.k_repeats.resize(groups.size());
  for (std::size_t w = 0; w < groups.size(); ++w) cut_k(shape, groups[w], tiling.k, tiles.k[w]);
  tiles.channels.clear();
  if (shape.is_gemm) {
    cut_gemm_channels(shape, groups, tiling, tiles.k, tiles.channels);
  } else {
    cut_pool_channels(shape, tiling.n, tiles.channels);
  }
}

}  // namespace bitpulse
