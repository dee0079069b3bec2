// SPDX-License-Identifier: Apache-2.0
#pragma once

// The float operations that are not convolutions, over NCHW batches; models/layer.h defines them.

#include <vector>

#include "quant/activation.h"
#include "quant/float/float_executor.h"

namespace bitpulse {

/// Per-channel affine map: out = in * scale[c] + shift[c].
FloatBatch scale_channels(const FloatBatch& in, const std::vector<float>& scale,
                          const std::vector<float>& shift, int threads);

FloatBatch activate(const FloatBatch& in, const Activation& activation, int threads);
FloatBatch max_pool(const FloatBatch& in, const Window& window, const Shape& out, int threads);
FloatBatch average_pool(const FloatBatch& in, const Window& window, const Shape& out, int threads);
FloatBatch add(const FloatBatch& a, const FloatBatch& b);
FloatBatch concatenate(const std::vector<const FloatBatch*>& inputs, const Shape& out);
FloatBatch reorg(const FloatBatch& in, std::int64_t stride, const Shape& out);
FloatBatch slice_pad(const FloatBatch& in, const SlicePad& slice, const Shape& out);

/// Mean and (biased) variance of each channel over the batch, summed in double.
struct ChannelStatistics {
  std::vector<double> mean, variance;
};
ChannelStatistics channel_statistics(const FloatBatch& in, int threads);

}  // namespace bitpulse
