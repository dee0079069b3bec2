// SPDX-License-Identifier: Apache-2.0
#pragma once

// The tiles of a layer as lists: what the loops of its program run over.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/tiling.h"

namespace bitpulse {

/// A range of output pixels and the input rows and columns of its whole kernel.
struct PixelTile {
  Range m, rows, cols;
};

/// Convolution groups, or channels of one, of a width group; non-GEMM layers have channels only.
struct ChannelTile {
  std::uint32_t width_group = 0;
  Range groups, n;
  Range in, out;          // channels of input and output; out: with one width group only
  std::size_t block = 0;  // of its first K tile
};

/// K' elements of a width group, their codes per output channel, and the first input channel of
/// the convolution group among them.
struct KTile {
  Range k;
  std::int64_t codes = 0;
  std::int64_t channel = 0;
};

/// Which tiles of a list are the ones `period` before moved on, always by the same way, so that
/// all they load and store has the same size.
struct Repeats {
  std::size_t period = 0;          // even, as buffers have two slots; 0: none are
  std::vector<std::uint32_t> end;  // by tile: the first after it that is not; itself: it is not

  /// Whether the tiles before `i` and up to two periods behind it are.
  bool reach_on(std::size_t i) const {
    return i > 0 && i + 2 * period <= end.size() && end[i - 1 + period] >= i + 2 * period;
  }
};

struct LayerTiles {
  std::vector<PixelTile> pixels;
  std::vector<ChannelTile> channels;
  std::vector<std::vector<KTile>> k;  // by width group
  Repeats pixel_repeats, channel_repeats;
  std::vector<Repeats> k_repeats;  // by width group
};
/// Fills lists that may have served another tiling; there are no repeats yet.
void cut_layer(const LayerShape& shape, const std::vector<WidthGroup>& groups, const Tiling& tiling,
               LayerTiles& tiles);
void find_repeats(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                  const Tiling& tiling, LayerTiles& tiles);

}  // namespace bitpulse
