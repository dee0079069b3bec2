// SPDX-License-Identifier: Apache-2.0
#pragma once

// From packed bytes to sums: what one array command computes. Activations are unpacked and laid out
// as one row of K codes per output pixel (padding is code 0), weights are unpacked and packed for
// the vector kernels; both are kept while the buffers' bytes do not change, as several commands
// read the same tile.

#include <cstdint>
#include <map>
#include <vector>

#include "quant/integer/integer_network.h"
#include "quant/integer/kernels.h"
#include "sim/program.h"

namespace bitpulse {

/// A width group of a GEMM layer: what its tiles' bytes mean.
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

/// The two buffers, and stamps that change with the bytes a command reads.
struct TileOperands {
  const std::uint8_t* act = nullptr;
  std::uint64_t act_stamp = 0;
  const std::uint8_t* weight = nullptr;
  std::uint64_t weight_stamp = 0;
};

class TileMath {
 public:
  void reset();

  /// Adds the products of `command` (of layer `plan` of the program) to its sums; returns the
  /// intermediate overflows counted.
  std::uint64_t accumulate(const GemmLayer& layer, std::uint32_t plan, const ArrayCommand& command,
                           const TileOperands& operands, std::vector<SumTile>& sums);

 private:
  /// What a tile in a buffer was unpacked from.
  struct Key {
    std::uint32_t plan = 0;
    std::uint64_t stamp = 0, bit = 0;
    std::uint32_t width_group = 0;
    Range groups, m, k, n;
    bool operator==(const Key& o) const;
  };
  struct Weights {
    Key key;
    std::vector<WeightTile> tiles;  // as AccTile::sums
  };
  struct Acts {
    Key key;
    std::vector<std::uint8_t> bytes;  // rows of all groups, one after the other
    std::vector<ActRows> rows;        // as AccTile::sums
  };

  const Weights& weights(const GemmLayer& layer, std::uint32_t plan, const ArrayCommand& command,
                         const TileOperands& operands);
  const Acts& acts(const GemmLayer& layer, std::uint32_t plan, const ArrayCommand& command,
                   const WeightTile& weights, const TileOperands& operands);
  template <class T>
  void lay_acts(const GemmLayer& layer, const ArrayCommand& command, int bias,
                const TileOperands& operands);

  std::map<std::uint64_t, Weights> weights_;  // by place in the weight buffer
  std::uint32_t weights_plan_ = 0;
  Acts acts_;
  std::vector<std::int8_t> narrow_codes_;  // workspace: weights
  std::vector<std::int16_t> wide_codes_;
  std::vector<std::uint8_t> act_codes_;  // workspace: the region, unpacked
};

}  // namespace bitpulse
