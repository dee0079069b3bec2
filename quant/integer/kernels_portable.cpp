// SPDX-License-Identifier: Apache-2.0
// Kernels for any processor GCC's vector types reach.
#include <type_traits>

#include "quant/integer/kernel_table.h"

namespace bitpulse::detail {
namespace {

constexpr int kVectorBytes = 16;

#include "quant/integer/ordered_kernel.inl"
#include "quant/integer/requantize_kernel.inl"

void dot_words(const DotArgs& a) {
  for (std::int64_t block = 0; block < a.blocks; ++block) {
    const auto* weights = reinterpret_cast<const std::int16_t*>(
        static_cast<const std::int8_t*>(a.weights) + block * a.block_bytes);
    for (std::int64_t row = 0; row < a.row_count; ++row) {
      const auto* x = reinterpret_cast<const std::int16_t*>(
          static_cast<const std::int8_t*>(a.rows) + row * a.row_bytes);
      std::int32_t* to = a.sums + row * a.sums_stride + block * kBlock;
      std::uint32_t sum[kBlock];
      for (int n = 0; n < kBlock; ++n) {
        sum[n] = static_cast<std::uint32_t>(a.start[block * kBlock + n]);
        if (a.accumulate) sum[n] += static_cast<std::uint32_t>(to[n]);
      }
      for (std::int64_t step = 0; step < a.steps; ++step) {
        const std::int16_t* w = weights + step * 2 * kBlock;
        for (int n = 0; n < kBlock; ++n) {
          sum[n] += static_cast<std::uint32_t>(x[2 * step] * w[2 * n]);
          sum[n] += static_cast<std::uint32_t>(x[2 * step + 1] * w[2 * n + 1]);
        }
      }
      for (int n = 0; n < kBlock; ++n) to[n] = static_cast<std::int32_t>(sum[n]);
    }
  }
}

constexpr KernelTable kTable{nullptr, dot_words, dot_depthwise, ordered, exact, requantize};

}  // namespace

const KernelTable& portable_kernels() { return kTable; }

}  // namespace bitpulse::detail
