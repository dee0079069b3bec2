// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/repeats.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "models/units.h"
#include "sim/schedule/tiles.h"

namespace bitpulse {

namespace {

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

}  // namespace bitpulse
