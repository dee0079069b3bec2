// SPDX-License-Identifier: Apache-2.0
#pragma once

// BitFusion's own compute model, to hold beside ours: Sharma et al., "Bit Fusion: Bit-Level
// Dynamically Composable Architecture for Accelerating Deep Neural Networks", ISCA 2018, as in the
// authors' simulator. Neither has fill and drain here, and both pack fused products along input
// channels; BitFusion gives every kernel position array rows of its own, ours packs positions along
// the rows (K' = kh*kw*ceil(cin/lanes)), so that ours is never more and the same wherever cin is a
// multiple of rows * lanes.

#include <cstdint>

namespace bitpulse {

struct BitfusionLayer {
  std::int64_t batch = 1, out_h = 1, out_w = 1, out_channels = 1;
  std::int64_t kernel_h = 1, kernel_w = 1, in_channels = 1;
  int act_bits = 8, weight_bits = 8;
};

/// Products of a fused unit per cycle: floor(8 / max(a, 2)) * floor(8 / max(w, 2)).
std::int64_t bitfusion_parallelism(int act_bits, int weight_bits);

/// Compute cycles on rows (inputs) x cols (outputs) units; im2col: kernel positions are packed
/// along the rows, as BitFusion does for first layers.
std::int64_t bitfusion_cycles(const BitfusionLayer& layer, std::int64_t rows, std::int64_t cols,
                              bool im2col = false);

/// Ours without fill, drain and stalls: batch * oh * ow * ceil(oc / C) * ceil(K' / R).
std::int64_t ideal_cycles(const BitfusionLayer& layer, std::int64_t rows, std::int64_t cols);

}  // namespace bitpulse
