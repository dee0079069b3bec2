// SPDX-License-Identifier: Apache-2.0
#pragma once

// From packed bytes to activations as the kernels take them: one row of K codes per output pixel.
// The last tile is kept while the bytes behind it do not change, since several commands (one per
// tile of output channels) read it.

#include <cstdint>
#include <vector>

#include "quant/integer/kernels.h"
#include "sim/program.h"
#include "sim/systemc/gemm_layer.h"

namespace bitpulse {

class ActTiles {
 public:
  void reset();

  /// One ActRows per convolution group of the command's tile; one for all if depthwise.
  ///
  /// plan    index of the layer in its program
  /// buffer  the act buffer; `stamp` changes with the bytes the command reads
  const std::vector<ActRows>& get(const GemmLayer& layer, std::uint32_t plan,
                                  const ArrayCommand& command, const WeightTile& weights,
                                  const std::uint8_t* buffer, std::uint64_t stamp);

 private:
  /// Codes or rows in the element type of their RowForm.
  struct Elements {
    std::vector<std::uint8_t> bytes;
    std::vector<std::int16_t> words;
    template <class T>
    std::vector<T>& as();
  };
  /// What rows_ and region_ were made of.
  struct Source {
    std::uint32_t plan = 0, width_group = 0;
    std::uint64_t stamp = 0;
    Region region;
    Range groups, m, k;
  };
  template <class T>
  void lay(const GemmLayer& layer, const ArrayCommand& command, int bias,
           const std::uint8_t* buffer, bool same_region);

  bool filled_ = false;
  Source source_;
  Elements region_;    // the region, unpacked
  Elements elements_;  // rows of all groups, one after the other
  std::vector<ActRows> rows_;
};

}  // namespace bitpulse
