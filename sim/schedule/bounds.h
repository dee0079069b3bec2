// SPDX-License-Identifier: Apache-2.0
#pragma once

// A lower bound on the cycles of a tiling, in closed form: the busiest of the three units, plus
// what nothing can hide, the first loads and the last vector command and store. It never exceeds
// what an engine counts, and meets it where one unit is busy throughout.

#include <cstdint>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/tile_facts.h"
#include "sim/schedule/tiling.h"

namespace bitpulse {

struct TilingBound {
  std::uint64_t cycles = 0;
  std::uint64_t bytes = 0;  // DRAM traffic
};

class LayerBounds {
 public:
  LayerBounds(const LayerShape& shape, const std::vector<WidthGroup>& groups,
              const Machine& machine);

  /// For all candidates of a pixel and a channel tiling.
  std::uint64_t of_tiles(const PixelFacts& m, const ChannelFacts& channels) const;

  /// `array`: array_cycles of the same tiles.
  TilingBound operator()(const Tiling& tiling, const PixelFacts& m, const InputFacts& input,
                         const ChannelFacts& channels, std::uint64_t array) const;

  /// From the first preload to the last output if the array never waits; the same for all loop
  /// orders and, but for os, for all K tiles. Without overlap: the sum of the folds' serial costs.
  std::uint64_t array_cycles(const PixelFacts& m, const ChannelFacts& channels, bool tiled_k) const;

 private:
  struct Traffic {
    std::uint64_t commands = 0, bytes = 0;
    Traffic& operator+=(Traffic o) {
      commands += o.commands, bytes += o.bytes;
      return *this;
    }
  };
  std::int64_t nest_sum(const FoldNest& nest, bool tiled_k) const;
  std::int64_t way_out(const FoldNest& nest, bool tiled_k) const;
  std::uint64_t waits_for_loads(const Tiling& tiling, const PixelFacts& m, const InputFacts& input,
                                const ChannelFacts& channels, Traffic act) const;
  std::uint64_t last_command(const Tiling& tiling, const PixelFacts& m) const;
  Traffic act_loads(const Tiling& tiling, const InputFacts& input,
                    const ChannelFacts& channels) const;
  Traffic act_loads_of_k_tiles(const Tiling& tiling, const InputFacts& input,
                               const ChannelFacts& channels) const;
  Traffic weight_loads(const Tiling& tiling, const PixelFacts& m) const;
  Traffic stores(std::int64_t tiles) const;
  Traffic store_of(std::int64_t pixels, std::int64_t channels) const;
  Traffic identity_loads(std::int64_t tiles) const;
  std::uint64_t first_loads(const Tiling& tiling, const InputFacts& input) const;
  std::uint64_t first_outputs(const PixelFacts& m) const;
  std::uint64_t transfer(Traffic traffic) const;
  std::uint64_t vector(std::int64_t commands, std::int64_t elements) const;

  const LayerShape& shape_;
  const std::vector<WidthGroup>& groups_;
  const Machine& machine_;
  std::uint64_t latency_ = 0;       // of a dma command
  double cycles_per_byte_ = 0;      // at the memory's peak
  std::uint64_t weight_bytes_ = 0;  // of the layer, once
};

}  // namespace bitpulse
