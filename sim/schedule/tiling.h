// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a layer is cut into tiles and in which order they run, what that needs of the buffers, and
// the candidates the compiler chooses from.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "models/units.h"
#include "sim/program.h"
#include "sim/schedule/layer_shape.h"

namespace bitpulse {

/// Ranges of flattened output pixels: either runs of `size` pixels, or every output row cut into
/// `row_parts` parts of `size` pixels (the last smaller).
struct PixelTiling {
  std::int64_t size = 1;
  std::int64_t row_parts = 0;  // 0: runs regardless of rows

  std::int64_t count(const LayerShape& shape) const {
    return row_parts > 0 ? shape.m / shape.out_w * row_parts : ceil_div(shape.m, size);
  }
  Range tile(const LayerShape& shape, std::int64_t index) const {
    if (row_parts == 0) return {index * size, std::min((index + 1) * size, shape.m)};
    const std::int64_t row = index / row_parts * shape.out_w, part = index % row_parts;
    return {row + part * size, row + std::min((part + 1) * size, shape.out_w)};
  }
  /// Whether every tile is whole rows or a part of one row, the same part in all rows.
  bool is_grid(const LayerShape& shape) const { return row_parts > 0 || size % shape.out_w == 0; }
  /// Calls visit(output rows), of all images, for all tiles below one another in a grid.
  template <class Visit>
  void for_rows(const LayerShape& shape, Visit&& visit) const {
    const std::int64_t rows = shape.batch * shape.out_h;
    const std::int64_t each = row_parts > 0 ? 1 : size / shape.out_w;
    for (std::int64_t row = 0; row < rows; row += each) {
      visit(Range{row, std::min(row + each, rows)});
    }
  }
  /// Calls visit(output columns) for all tiles beside one another in a grid.
  template <class Visit>
  void for_cols(const LayerShape& shape, Visit&& visit) const {
    if (row_parts == 0) return visit(Range{0, shape.out_w});
    for (std::int64_t col = 0; col < shape.out_w; col += size) {
      visit(Range{col, std::min(col + size, shape.out_w)});
    }
  }
  friend bool operator==(PixelTiling a, PixelTiling b) {
    return a.size == b.size && a.row_parts == b.row_parts;
  }
};

/// One way to run a layer. Sizes clip at each width group's extent.
struct Tiling {
  PixelTiling m;
  std::int64_t groups = 1;      // convolution groups per command; pooling: unused
  std::int64_t n = 1;           // output channels per group (pooling: channels)
  std::int64_t k = 1;           // K' elements; ws, is: a multiple of the rows unless all
  bool n_outer = false;         // weights (or channels) outer, pixels inner; else the reverse
  bool whole_act = true;        // the input tile serves all K tiles; else one per K tile
  bool gather_outputs = false;  // one store per pixel tile, with all channels
};

/// Bits (accumulators: sums) that one half of each buffer must hold.
struct Footprint {
  std::int64_t act = 0, weight = 0, out = 0, sums = 0;
};

/// What tilings of one layer need; upper bounds over its tiles.
class FootprintOf {
 public:
  FootprintOf(const LayerShape& shape, const std::vector<WidthGroup>& groups)
      : shape_(shape), groups_(groups) {}
  Footprint operator()(const Tiling& tiling) const;

  std::int64_t act(const Tiling& tiling) const;     // m, groups, n (pooling), k, whole_act
  std::int64_t weight(const Tiling& tiling) const;  // groups, n, k
  std::int64_t out(const Tiling& tiling) const {    // m, groups, n, gather_outputs
    return std::min(tiling.m.size, shape_.m) * out_of_pixel(tiling);
  }
  std::int64_t sums(const Tiling& tiling) const {  // m, groups, n
    return std::min(tiling.m.size, shape_.m) * sums_of_pixel(tiling);
  }
  std::int64_t out_of_pixel(const Tiling& tiling) const;   // groups, n, gather_outputs
  std::int64_t sums_of_pixel(const Tiling& tiling) const;  // groups, n

 private:
  const LayerShape& shape_;
  const std::vector<WidthGroup>& groups_;
};

/// What one half of each buffer holds, of the activation buffer one half of what is left beside
/// `kept_bits`.
Footprint half_capacity(const Machine& machine, std::uint64_t kept_bits = 0);

/// Tile sizes to choose from, each descending and ending with the smallest there is. They depend
/// on the layer and the array, never on a buffer: a machine with bigger buffers has every choice
/// of one with smaller buffers.
struct ChannelTiling {
  std::int64_t groups = 1, n = 1;  // several groups, or channels of one group
};
struct TileGrid {
  std::vector<PixelTiling> m;
  std::vector<ChannelTiling> channels;
  std::vector<std::int64_t> k;
};
/// Whether a tiling may have one input tile per K tile: where kernel positions share no input,
/// where each is cut into three ranges of channels or more (fewer would stay in the slots beside
/// their neighbours' and rarely pay), and for the smallest pixel tiles, which may fit in no other
/// way.
bool may_tile_act(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                  const TileGrid& grid, const Tiling& tiling);

TileGrid tile_grid(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                   const ArraySpec& array);

/// "m 196, k 1152, n 32; n outer"
std::string describe(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                     const Tiling& tiling);

}  // namespace bitpulse
