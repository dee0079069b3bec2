// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/bitfusion.h"

#include <algorithm>

#include "models/units.h"
#include "sim/machine.h"

namespace bitpulse {

namespace {

constexpr int kWidest = 8, kNarrowest = 2;  // operand bits of a fusion unit

std::int64_t positions(const BitfusionLayer& layer) { return layer.kernel_h * layer.kernel_w; }

std::int64_t outputs(const BitfusionLayer& layer, std::int64_t cols) {
  return layer.batch * layer.out_h * layer.out_w * ceil_div(layer.out_channels, cols);
}

}  // namespace

std::int64_t bitfusion_parallelism(int act_bits, int weight_bits) {
  return static_cast<std::int64_t>(kWidest / std::max(act_bits, kNarrowest)) *
         (kWidest / std::max(weight_bits, kNarrowest));
}

std::int64_t bitfusion_cycles(const BitfusionLayer& layer, std::int64_t rows, std::int64_t cols,
                              bool im2col) {
  const std::int64_t side = rows * bitfusion_parallelism(layer.act_bits, layer.weight_bits);
  if (im2col) {
    return outputs(layer, cols) * ceil_div(positions(layer) * layer.in_channels, side);
  }
  return outputs(layer, cols) * positions(layer) * ceil_div(layer.in_channels, side);
}

std::int64_t ideal_cycles(const BitfusionLayer& layer, std::int64_t rows, std::int64_t cols) {
  const PeMode mode = pe_mode(PeKind::kFused, layer.act_bits, layer.weight_bits);
  const std::int64_t k_packed = positions(layer) * ceil_div(layer.in_channels, mode.lanes);
  return outputs(layer, cols) * ceil_div(k_packed, rows) * mode.passes();
}

}  // namespace bitpulse
