// SPDX-License-Identifier: Apache-2.0
#pragma once

// DRAM traffic of a tiling in closed form: what its loads and stores move at least, and the least
// time that takes.

#include <cstdint>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/tile_facts.h"
#include "sim/schedule/tiling.h"

namespace bitpulse {

struct Traffic {
  std::uint64_t commands = 0, bytes = 0;
  Traffic& operator+=(Traffic o) {
    commands += o.commands, bytes += o.bytes;
    return *this;
  }
};

class LayerTraffic {
 public:
  /// Keeps references to `shape` and `groups`.
  LayerTraffic(const LayerShape& shape, const std::vector<WidthGroup>& groups,
               const Machine& machine);

  /// Cycles at the memory's peak.
  std::uint64_t cycles(Traffic traffic) const;

  Traffic act_loads(const Tiling& tiling, PixelLoads& pixels, const ChannelFacts& channels) const;
  /// `bytes` of all weights, once.
  std::uint64_t weight_bytes() const { return weight_bytes_; }
  Traffic stores(std::int64_t tiles) const;
  /// The stores of one tile.
  Traffic store_of(std::int64_t pixels, std::int64_t channels) const;
  Traffic identity_loads(std::int64_t tiles) const;
  /// Cycles of the loads that the first command waits for.
  std::uint64_t first_loads(const Tiling& tiling, const InputFacts& input) const;
  /// Cycles of one load of `repeats` convolution groups' weights for `n` channels and K' elements
  /// `from` to `to` of the first width group.
  std::uint64_t weight_load(std::int64_t repeats, std::int64_t n, std::int64_t from,
                            std::int64_t to) const;

 private:
  Traffic act_loads_of_k_tiles(const Tiling& tiling, PixelLoads& pixels,
                               const ChannelFacts& channels) const;

  const LayerShape& shape_;
  const std::vector<WidthGroup>& groups_;
  std::uint64_t latency_ = 0;  // of a dma command
  double cycles_per_byte_ = 0;
  std::uint64_t weight_bytes_ = 0;
  std::int64_t pixel_bytes_ = 0;   // of the input
  std::int64_t per_position_ = 0;  // K' elements of a kernel position
  Traffic stored_once_;            // if one tile were all
  std::uint64_t identity_bytes_ = 0;
};

}  // namespace bitpulse
