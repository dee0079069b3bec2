// SPDX-License-Identifier: Apache-2.0
#pragma once

// What tiling, addressing and emission need to know of a layer, as plain numbers. Two layers of
// equal shape (and equal weight widths) compile to the same commands but for their addresses.

#include <cstdint>
#include <vector>

#include "quant/integer/integer_network.h"

namespace bitpulse {

/// Bits rounded up to whole bytes.
constexpr std::int64_t byte_aligned(std::int64_t bits) { return (bits + 7) & ~std::int64_t{7}; }

/// A stored tensor as the DMA sees it: NHWC, each pixel padded to whole bytes.
struct TensorShape {
  std::int64_t bits = 0;        // of a code
  std::int64_t pixel_bits = 0;  // byte_aligned(c * bits)
  std::int64_t c = 0, h = 0, w = 0;
  friend bool operator==(const TensorShape& a, const TensorShape& b) {
    return a.bits == b.bits && a.c == b.c && a.h == b.h && a.w == b.w;
  }
};
TensorShape tensor_shape(const StoredTensor& tensor);

struct StoreShape {
  TensorShape tensor;
  bool kept = false;  // on chip, as below
  std::int64_t channel_offset = 0;
  std::int64_t reorg = 1;
  friend bool operator==(const StoreShape& a, const StoreShape& b) {
    return a.tensor == b.tensor && a.kept == b.kept && a.channel_offset == b.channel_offset &&
           a.reorg == b.reorg;
  }
};

struct IdentityShape {
  TensorShape tensor;
  bool kept = false;
  std::int64_t stride = 1;
  std::int64_t channels_before = 0;
  friend bool operator==(const IdentityShape& a, const IdentityShape& b) {
    return a.tensor == b.tensor && a.kept == b.kept && a.stride == b.stride &&
           a.channels_before == b.channels_before;
  }
};

struct LayerShape {
  bool is_gemm = false;
  TensorShape in;
  bool in_kept = false;            // the input stays in the activation buffer: it is not loaded
  Window window;                   // 1x1 for elementwise layers
  std::int64_t groups = 1;         // of the convolution
  std::int64_t cin = 0, cout = 0;  // per group
  std::int64_t out_h = 0, out_w = 0;
  std::int64_t batch = 1;
  std::int64_t m = 0;         // batch * out_h * out_w
  std::uint32_t passes = 1;   // of the vector unit over the output
  bool has_identity = false;  // residual add
  IdentityShape identity;
  std::vector<StoreShape> stores;

  std::int64_t out_channels() const { return groups * cout; }
  friend bool operator==(const LayerShape& a, const LayerShape& b);
};

/// Passes of the vector unit: GEMM and elementwise 1, pools one per window element, average one
/// more, a maximum that is requantized (its width or signedness changes, or it joins a concat) one
/// more; a residual add 1 more, each store beyond the first 1 more.
LayerShape layer_shape(const IntegerNetwork& network, const IntegerLayer& layer,
                       std::int64_t batch);

}  // namespace bitpulse
