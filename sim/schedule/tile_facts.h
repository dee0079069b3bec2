// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counts of a tiling's tiles and of what they load, without making a list of them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/tiling.h"

namespace bitpulse {

/// The size of the last of the tiles that cut `extent`.
constexpr std::int64_t last_of(std::int64_t extent, std::int64_t tile) {
  return (extent - 1) % tile + 1;
}

/// What a pixel tiling loads at least, in any loop order and with any cut of K'.
struct LeastLoads {
  std::int64_t loads = 0;
  std::int64_t pixels = 0;
  bool again = false;  // for every channel tile, where those are outer
};

/// Sizes of the tiles of a pixel tiling.
struct PixelFacts {
  PixelTiling tiling;
  std::int64_t count = 0;
  std::int64_t size = 0;        // output pixels of the largest tile
  std::int64_t last_size = 0;   // output pixels of the last tile
  std::int64_t last_tiles = 0;  // tiles of that size; the others have `tiling.size`
  std::size_t work = 0;         // where LayerBounds keeps what it knows
};
PixelFacts pixel_facts(const LayerShape& shape, const PixelTiling& tiling);

/// What a pixel tiling loads if every tile reads its whole kernel.
struct InputFacts {
  std::int64_t loads = 0;         // of one pass over the tiles, with two slots
  bool shared = false;            // some tile found its input in a slot
  std::int64_t pixels = 0;        // of all loads
  std::int64_t spans = 0;         // ranges of neighbouring pixels these make up
  std::int64_t first_pixels = 0;  // of the first tile
  std::int64_t most_pixels = 0;   // of one load
};
/// The same if every kernel position is loaded by itself; positions in the padding are not.
struct PositionFacts {
  std::int64_t loads = 0;
  std::int64_t pixels = 0;
};
PositionFacts position_facts(const LayerShape& shape, const PixelTiling& tiling);
InputFacts input_facts(const LayerShape& shape, const PixelTiling& tiling);

/// All of them, taken when first asked for.
class PixelLoads {
 public:
  /// Keeps references to both.
  PixelLoads(const LayerShape& shape, const PixelTiling& tiling) : shape_(shape), tiling_(tiling) {}
  const InputFacts& input() {
    if (!input_) input_ = input_facts(shape_, tiling_);
    return *input_;
  }
  const PositionFacts& positions() {
    if (!positions_) positions_ = position_facts(shape_, tiling_);
    return *positions_;
  }
  const LeastLoads& least() {
    if (!least_) least_ = find_least();
    return *least_;
  }

 private:
  LeastLoads find_least();

  const LayerShape& shape_;
  const PixelTiling& tiling_;
  std::optional<InputFacts> input_;
  std::optional<PositionFacts> positions_;
  std::optional<LeastLoads> least_;
};

/// Sizes of the tiles of a channel tiling over all width groups and convolution groups.
struct ChannelFacts {
  ChannelTiling tiling;
  std::int64_t tiles = 0;            // (width group, convolution groups, channels)
  std::int64_t group_tiles = 0;      // (width group, convolution groups)
  std::int64_t tiles_per_group = 1;  // of both, where there is one width group
  std::int64_t last_channels = 0;    // output channels of the last tile
  bool equal = false;                // one width group, all tiles of one size
  std::size_t work = 0;              // where LayerBounds keeps what it knows
};
ChannelFacts channel_facts(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                           const ChannelTiling& tiling);

}  // namespace bitpulse
