// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tiles of a GEMM layer's width group mean in bytes and in sums.

#include <cstdint>

#include "quant/integer/integer_network.h"
#include "quant/integer/kernels.h"
#include "sim/program.h"

namespace bitpulse {

class GemmLayer {
 public:
  GemmLayer(const IntegerNetwork& network, const LayerPlan& plan, std::uint32_t width_group);

  const IntegerLayer& layer() const { return *layer_; }
  const GemmOp& op() const { return *op_; }
  const WidthGroup& group() const { return *group_; }
  const GemmSpec& spec() const { return spec_; }

  std::uint64_t region_bits(const Region& region) const;
  std::uint64_t weight_bits(const GemmTile& tile) const;
  std::uint64_t sums(const GemmTile& tile) const;
  /// One per convolution group; one for all if depthwise.
  std::size_t sum_tiles(const GemmTile& tile) const;
  /// Codes of K per output channel behind a range of K'.
  std::int64_t codes(Range k) const { return spec_.first_code(k.end) - spec_.first_code(k.begin); }

 private:
  const IntegerLayer* layer_;
  const GemmOp* op_;
  const WidthGroup* group_;
  GemmSpec spec_;
};

}  // namespace bitpulse
