// SPDX-License-Identifier: Apache-2.0
#pragma once

// DRAM traffic of a tiling in closed form: what its loads and stores touch at least, and the least
// time that takes. A banked memory moves whole bursts: a tile of few channels reads a short run of
// every pixel, and each run costs a burst unless the next one goes on in it. Tensors
// kept on chip cause none.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/tile_facts.h"
#include "sim/schedule/tiling.h"

namespace bitpulse {

struct Traffic {
  std::uint64_t commands = 0, bytes = 0;
  std::uint64_t moved = 0;  // bytes of all bursts

  Traffic() = default;
  Traffic(std::uint64_t command_count, std::uint64_t touched)
      : Traffic(command_count, touched, touched) {}
  Traffic(std::uint64_t command_count, std::uint64_t touched, std::uint64_t with_bursts)
      : commands(command_count), bytes(touched), moved(std::max(touched, with_bursts)) {}

  Traffic& operator+=(const Traffic& o) {
    commands += o.commands, bytes += o.bytes, moved += o.moved;
    return *this;
  }
};

class LayerTraffic {
 public:
  /// Keeps references to `shape` and `groups`.
  LayerTraffic(const LayerShape& shape, const std::vector<WidthGroup>& groups,
               const Machine& machine);

  /// Cycles at the memory's peak, all rows open.
  std::uint64_t cycles(const Traffic& traffic) const {
    // Signed numbers, which convert in one instruction. A hair below, so that rounding of the
    // products never lifts the bound above the truth.
    const double cycles =
        static_cast<double>(static_cast<std::int64_t>(traffic.commands)) * latency_ +
        static_cast<double>(static_cast<std::int64_t>(traffic.moved)) * cycles_per_byte_;
    const double least = cycles * (1 - 1e-12);
    const auto whole = static_cast<std::int64_t>(least);
    return static_cast<std::uint64_t>(whole + (static_cast<double>(whole) < least ? 1 : 0));
  }

  /// Of input tiles for all of K.
  Traffic act_loads(const InputFacts& input, const ChannelFacts& channels, bool n_outer) const;
  /// Of one input tile per K tile.
  Traffic act_loads_of_k_tiles(const Tiling& tiling, PixelLoads& pixels,
                               const ChannelFacts& channels) const;
  /// Cycles of one load of so many pixels of input, for all of K.
  std::uint64_t act_load(std::int64_t pixels, const ChannelTiling& channels) const;
  /// Of input and weights in this loop order, whatever the cut of K.
  Traffic least_loads(const PixelFacts& m, const LeastLoads& loads, const ChannelFacts& channels,
                      bool n_outer) const;
  /// Of `blocks` loads that move all weights `times` times.
  Traffic weight_loads(std::int64_t blocks, std::int64_t times) const;
  /// All stores; `gather`: of all channels of a pixel tile at once.
  Traffic stores(const PixelFacts& m, const ChannelFacts& channels, bool gather) const;
  /// The stores of one tile.
  Traffic store_of(std::int64_t pixels, std::int64_t channels) const;
  Traffic identity_loads(const PixelFacts& m, const ChannelFacts& channels, bool gather) const;
  /// Cycles of one load of that many weights of the first width group.
  std::uint64_t weight_load(std::int64_t weights) const;

 private:
  std::uint64_t stored_bytes(const StoreShape& store) const;
  /// Bytes that bursts move for `pixels` in `spans` ranges of neighbours, `stride` bits apart, of
  /// each the first `run` bits. Needs bursts.
  std::uint64_t moved(std::int64_t pixels, std::int64_t spans, std::int64_t run,
                      std::int64_t stride) const;
  /// 0 without bursts: the same in as many commands as `extent` bits of each pixel have slices of
  /// `slice` bits.
  std::uint64_t moved_in_slices(std::int64_t pixels, std::int64_t spans, std::int64_t extent,
                                std::int64_t slice, std::int64_t stride) const;
  /// Of all output pixels of a tensor with the layer's output channels.
  std::uint64_t moved_by_tiles(const PixelFacts& m, const ChannelFacts& channels, bool gather,
                               const TensorShape& tensor) const;

  const LayerShape& shape_;
  const std::vector<WidthGroup>& groups_;
  double latency_ = 0;  // of a dma command
  double cycles_per_byte_ = 0;
  std::int64_t burst_bytes_ = 0;  // 0: the memory has no bursts
  std::uint64_t weight_bytes_ = 0;
  std::int64_t pixel_bytes_ = 0;   // of the input
  std::int64_t per_position_ = 0;  // K' elements of a kernel position
  Traffic stored_once_;            // if one tile were all
  std::uint64_t identity_bytes_ = 0;
};

}  // namespace bitpulse
