// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/tiles.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "models/units.h"
#include "sim/schedule/regions.h"

namespace bitpulse {

namespace {

void cut_pixels(const LayerShape& shape, const PixelTiling& tiling, std::vector<PixelTile>& tiles) {
  const KernelSpan kernel = whole_kernel(shape, {0, 0});
  tiles.resize(static_cast<std::size_t>(tiling.count(shape)));
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const Range m = tiling.tile(shape, static_cast<std::int64_t>(i));
    const Region region = input_region(shape, m, kernel);
    tiles[i] = {m, region.rows, region.cols};
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

/// `same(i)`: tile i is the one a period before, moved; `on(i)`: by the same way as tile i - 1.
template <class Same, class On>
void mark_repeats(std::size_t count, std::size_t period, Repeats& repeats, Same&& same, On&& on) {
  repeats.period = 0;
  if (count < 3 * period + 1) return;
  repeats.period = period;
  repeats.end.resize(count);
  for (std::size_t i = count; i-- > 0;) {
    const auto at = static_cast<std::uint32_t>(i);
    if (i < period || !same(i)) {
      repeats.end[i] = at;
    } else {
      const bool goes_on = i + 1 < count && repeats.end[i + 1] > i + 1 && on(i + 1);
      repeats.end[i] = goes_on ? repeats.end[i + 1] : at + 1;
    }
  }
}

void find_pixel_repeats(const LayerShape& shape, const Tiling& tiling, LayerTiles& tiles) {
  const std::vector<PixelTile>& pixels = tiles.pixels;
  // Of whole rows, so that a tile stands where the one before it stood in its rows.
  const std::int64_t tiles_in_turn = tiling.m.row_parts > 0
                                         ? tiling.m.row_parts
                                         : shape.out_w / std::gcd(shape.out_w, tiling.m.size);
  const auto period = static_cast<std::size_t>(std::lcm(tiles_in_turn, std::int64_t{2}));
  // The rows of a kernel position may be clipped where those of the whole kernel are not seen to.
  const Window& w = shape.window;
  const auto is_clipped = [&](const PixelTile& tile) {
    const std::int64_t rows = (tile.m.end - 1) / shape.out_w - tile.m.begin / shape.out_w;
    return tile.rows.size() != rows * w.stride_h + (w.kernel_h - 1) * w.dilation_h + 1;
  };
  const auto same = [&](std::size_t i) {
    const PixelTile &a = pixels[i], &b = pixels[i - period];
    return a.m.size() == b.m.size() && a.rows.size() == b.rows.size() &&
           a.cols.size() == b.cols.size() &&
           (tiling.whole_act || (!is_clipped(a) && !is_clipped(b)));
  };
  const auto way = [&](std::size_t i) {
    const PixelTile &a = pixels[i], &b = pixels[i - period];
    return std::make_pair(a.rows.begin - b.rows.begin, a.cols.begin - b.cols.begin);
  };
  mark_repeats(pixels.size(), period, tiles.pixel_repeats, same,
               [&](std::size_t i) { return way(i) == way(i - 1); });
}

void find_channel_repeats(LayerTiles& tiles) {
  constexpr std::size_t kPeriod = 2;
  const std::vector<ChannelTile>& channels = tiles.channels;
  const auto same = [&](std::size_t i) {
    const ChannelTile &a = channels[i], &b = channels[i - kPeriod];
    return a.groups.size() == b.groups.size() && a.n.size() == b.n.size() &&
           a.in.size() == b.in.size() && a.out.size() == b.out.size() &&
           (a.in.begin - b.in.begin) % 8 == 0 && (a.out.begin - b.out.begin) % 8 == 0;  // bytes
  };
  const auto way = [&](std::size_t i) {
    return channels[i].in.begin - channels[i - kPeriod].in.begin;
  };
  mark_repeats(channels.size(), kPeriod, tiles.channel_repeats, same,
               [&](std::size_t i) { return way(i) == way(i - 1); });
}

/// Tiles inside one kernel position, unless they share their input, where all are alike.
void find_k_repeats(const LayerShape& shape, const WidthGroup& group, bool whole_act,
                    const std::vector<KTile>& k, Repeats& repeats) {
  constexpr std::size_t kPeriod = 2, kWorthwhile = 16;
  repeats.period = 0;
  if (k.size() < kWorthwhile) return;
  const std::int64_t per_position = ceil_div(shape.cin, std::int64_t{group.mode.lanes});
  const auto same = [&](std::size_t i) {
    const KTile &a = k[i], &b = k[i - kPeriod];
    if (a.k.size() != b.k.size() || a.codes != b.codes) return false;
    return whole_act || (b.k.begin / per_position == (a.k.end - 1) / per_position &&
                         (a.channel - b.channel) % 8 == 0);  // bytes
  };
  mark_repeats(k.size(), kPeriod, repeats, same, [](std::size_t) { return true; });
}

}  // namespace

void find_repeats(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                  const Tiling& tiling, LayerTiles& tiles) {
  const bool has_reorg = std::any_of(shape.stores.begin(), shape.stores.end(),
                                     [](const StoreShape& store) { return store.reorg > 1; });
  // At the borders of images regions are clipped.
  const bool borders = shape.batch > 1 && (!tiling.whole_act || shape.identity.stride != 1);
  if (!has_reorg && !borders) find_pixel_repeats(shape, tiling, tiles);
  const IdentityShape& identity = shape.identity;
  const bool part_of_identity = shape.has_identity && (identity.channels_before != 0 ||
                                                       identity.tensor.c != shape.out_channels());
  if (groups.size() <= 1 && !part_of_identity) find_channel_repeats(tiles);
  for (std::size_t w = 0; w < groups.size(); ++w) {
    find_k_repeats(shape, groups[w], tiling.whole_act, tiles.k[w], tiles.k_repeats[w]);
  }
}

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
