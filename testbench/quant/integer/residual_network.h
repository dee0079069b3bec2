// SPDX-License-Identifier: Apache-2.0
#pragma once

// A whole residual network with random parameters that meets every construct of IntegerNetwork.

#include "quant/integer/network_builder.h"

namespace bitpulse {

inline Window square_window(std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  Window w;
  w.kernel_h = w.kernel_w = kernel;
  w.stride_h = w.stride_w = stride;
  w.pad_top = w.pad_bottom = w.pad_left = w.pad_right = pad;
  return w;
}

/// A whole residual network: stem with leaky ReLU, max-pool, two residual blocks (one with a
/// strided convolution on the identity), an option-A shortcut, concat, reorg, grouped and depthwise
/// convolutions with kernel-wise widths, both average pools, fully connected raw output.
inline NetworkBuilder residual_network(Residual::Kind kind, Rounding rounding, std::uint64_t seed) {
  NetworkBuilder b(seed, rounding);
  const bool stream = kind == Residual::Kind::kStream16;
  const Precision low{4, false}, branch = stream ? Precision{16, true} : Precision{4, true};
  using Options = NetworkBuilder::StoreOptions;
  Options relu;
  relu.relu = true;
  Options leaky;
  leaky.leaky = true;

  const TensorId image = b.input({3, 18, 14}, {8, true});
  b.conv(image, 16, square_window(3, 1, 1), 1, {8});
  const TensorId stem = b.store_new({8, true}, leaky);
  b.pool(stem, {16, 9, 7}, square_window(2, 2, 0), true, false);
  const TensorId pooled = b.store_new(low, relu);
  const TensorId pooled_identity = b.store_new(branch, relu);

  b.conv(pooled, 20, square_window(3, 1, 1), 1, {4});
  const TensorId inner1 = b.store_new(low, relu);
  b.conv(inner1, 16, square_window(3, 1, 1), 1, {2, 4, 8});
  b.residual(kind, pooled_identity, 1, 0, {4, true});
  const TensorId block1 = b.store_new(low, relu);
  Options copy = relu;
  copy.copy = stream;
  const TensorId block1_identity = b.store_new(branch, copy);

  b.conv(block1, 24, square_window(1, 2, 0), 1, {4});
  const TensorId down = b.store_new(branch, {});
  b.conv(block1, 24, square_window(3, 2, 1), 1, {1, 4});
  const TensorId inner2 = b.store_new(low, relu);
  b.conv(inner2, 24, square_window(3, 1, 1), 2, {4});
  b.residual(kind, down, 1, 0, {4, true});
  const TensorId block2 = b.store_new(branch, copy);

  b.sum(block2);  // option-A: every second pixel of block1, four zero channels on both sides
  b.residual(kind, block1_identity, 2, 4, {4, true});
  const TensorId summed = b.store_new({5, false}, relu);
  const Shape small = b.shape(summed);

  const TensorId joined = b.tensor({24 + 32, small.h - 1, small.w}, {6, true});
  Window tall = square_window(2, 1, 0);
  tall.kernel_w = 1;
  b.conv(summed, 24, tall, 24, {3, 5, 8});  // depthwise
  b.store(joined, {});
  b.conv(pooled, 8, square_window(2, 1, 0), 1, {8});
  const Shape wide = b.network.layers.back().out;
  const TensorId to_crop = b.store_new({8, false}, relu);
  Window crop = square_window(1, 1, 0);
  crop.kernel_h = wide.h - 2 * (small.h - 1) + 1;
  crop.kernel_w = 1;
  crop.pad_right = 2 * small.w - wide.w;
  b.conv(to_crop, 8, crop, 1, {8});
  Options reorg;
  reorg.channel_offset = 24;
  reorg.reorg = 2;
  b.store(joined, reorg);

  const Shape last = b.shape(joined);
  b.pool(joined, {56, last.h, last.w}, square_window(3, 1, 1), false, false);
  const TensorId averaged = b.store_new({16, false}, relu);
  b.pool(
      averaged, {56, 1, last.w},
      [&] {
        Window w = square_window(1, 1, 0);
        w.kernel_h = last.h;
        return w;
      }(),
      false, true);
  const TensorId features = b.store_new({8, false}, relu);
  Window all = square_window(1, 1, 0);
  all.kernel_w = last.w;
  b.conv(features, 10, all, 1, {8});
  Options raw;
  raw.copy = true;
  const TensorId logits = b.store_new({32, true}, raw);
  b.output(logits);
  return b;
}

}  // namespace bitpulse
