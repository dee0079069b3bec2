// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a layer and the shapes of its inputs: the shape of its output, the size of its weights and
// its multiply-accumulates. Windows follow PyTorch: floor((h + pads - dilated kernel) / stride)
// + 1.

#include <cstdint>
#include <string>
#include <vector>

#include "models/layer.h"

namespace bitpulse {

/// No layer of more multiply-accumulates is accepted, so that sums over a graph fit 64 bits.
inline constexpr std::int64_t kMaxMacs = std::int64_t{1} << 48;

/// Shape of the output. Every product is bounded before it is formed.
///
/// errors  Error(kInvalidInput) beginning with `place`: wrong number of inputs, a parameter out of
///         range, shapes that do not fit, a window larger than its padded input, a dimension
///         outside 1..kMaxDim, more than kMaxElements elements (output or weights) or kMaxMacs
Shape infer_shape(const std::string& place, const Layer& layer, const std::vector<Shape>& inputs);

/// Weights of a layer (bias not counted) that infer_shape has accepted.
std::int64_t weight_elements(const Layer& layer, const Shape& input);

/// Multiply-accumulates of a layer that infer_shape has accepted; 0 for layers without a GEMM.
std::int64_t layer_macs(const Layer& layer, const Shape& input, const Shape& output);

}  // namespace bitpulse
