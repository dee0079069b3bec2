// SPDX-License-Identifier: Apache-2.0
#pragma once

// The tiles of a layer as lists: what the loops of its program run over.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/repeats.h"
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

struct LayerTiles {
  std::vector<PixelTile> pixels;
  std::vector<ChannelTile> channels;
  std::vector<std::vector<KTile>> k;  // by width group
  Repeats pixel_repeats, channel_repeats;
  std::vector<Repeats> k_repeats;  // by width group
};
/// Fills lists that may have served another tiling, without repeats.
void cut_layer(const LayerShape& shape, const std::vector<WidthGroup>& groups, const Tiling& tiling,
               LayerTiles& tiles);

}  // namespace bitpulse
