// SPDX-License-Identifier: Apache-2.0
#pragma once

// The closed set of layer kinds. A layer is a plain struct; shapes are inferred by the graph.

#include <cstdint>
#include <optional>
#include <variant>

#include "models/tensor.h"

namespace bitpulse {

/// A sliding window. Pads are top, bottom, left, right.
struct Window {
  std::int64_t kernel_h = 1, kernel_w = 1;
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  std::int64_t dilation_h = 1, dilation_w = 1;
};

struct Input {
  Shape shape;
};
struct Conv2d {
  std::int64_t out_channels = 1;
  Window window;
  std::int64_t groups = 1;
  bool bias = false;
};
/// Fully connected over the flattened input (PyTorch's C, H, W order).
struct Linear {
  std::int64_t out_features = 1;
  bool bias = true;
};
/// A matrix product M x K x N of its own: the input has C = K, H = M, W = 1.
struct Gemm {
  std::int64_t n = 1;
};
struct BatchNorm {
  double eps = 1e-5;
};
/// max is set for ReLU6 and its relatives.
struct Relu {
  std::optional<double> max;
};
struct LeakyRelu {
  double slope = 0.1;
};
/// Padding is never the maximum. ceil_mode as in PyTorch.
struct MaxPool {
  Window window;
  bool ceil_mode = false;
};
/// Divides by the whole kernel area, padding included.
struct AvgPool {
  Window window;
};
struct GlobalAvgPool {};
struct Add {};
struct Concat {};
/// Space to depth: output channel (dy * stride + dx) * C + c holds input (c, y * stride + dy, x *
/// stride + dx).
struct Reorg {
  std::int64_t stride = 2;
};
struct Flatten {};
/// ResNet's option-A shortcut: every stride-th pixel, zero channels before and after.
struct SlicePad {
  std::int64_t stride = 1;
  std::int64_t channels_before = 0;
  std::int64_t channels_after = 0;
};

using Layer = std::variant<Input, Conv2d, Linear, Gemm, BatchNorm, Relu, LeakyRelu, MaxPool,
                           AvgPool, GlobalAvgPool, Add, Concat, Reorg, Flatten, SlicePad>;

/// The kind as written in JSON and reports: "conv2d", "linear", "gemm", "batch_norm", ...
const char* kind_name(const Layer& layer);

}  // namespace bitpulse
