// SPDX-License-Identifier: Apache-2.0
#pragma once

// From packed bytes to weights as the kernels take them. Schedules load a weight tile again for
// every pixel tile, so packed tiles of the current layer are kept, with the bytes they were made
// of: bytes that come back the same need no packing. What counts is always what the buffer holds.

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "quant/integer/kernels.h"
#include "sim/program.h"
#include "sim/systemc/gemm_layer.h"

namespace bitpulse {

class WeightTiles {
 public:
  void reset();

  /// One WeightTile per convolution group of the command's tile; one for all if depthwise.
  ///
  /// plan   index of the layer in its program
  /// bytes  the weight buffer; `stamp` changes with the bytes the command reads
  const std::vector<WeightTile>& get(const GemmLayer& layer, std::uint32_t plan,
                                     const ArrayCommand& command, const std::uint8_t* bytes,
                                     std::uint64_t stamp);

 private:
  struct Entry {
    GemmTile tile;
    std::uint64_t bit = 0, stamp = 0;  // where and when the bytes were last seen
    std::vector<std::uint8_t> bytes;
    std::vector<WeightTile> tiles;
  };
  using Place = std::array<std::int64_t, 4>;  // width group, first group, channel and k
  void pack(const GemmLayer& layer, const ArrayCommand& command, const std::uint8_t* bytes,
            Entry& entry);

  static constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  std::uint32_t plan_ = 0;
  std::map<Place, Entry> entries_;
  std::size_t held_bytes_ = 0;
  std::vector<std::int8_t> narrow_codes_;  // workspaces
  std::vector<std::int16_t> wide_codes_;
};

}  // namespace bitpulse
