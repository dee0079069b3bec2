// SPDX-License-Identifier: Apache-2.0
// AVX2: products of word pairs (vpmaddwd), which cannot saturate as vpmaddubsw does.
#include <immintrin.h>

#include <type_traits>

#include "quant/integer/kernel_table.h"

namespace bitpulse::detail {
namespace {

constexpr int kVectorBytes = 32;

#include "quant/integer/ordered_kernel.inl"
#include "quant/integer/requantize_kernel.inl"

template <int kRows>
void dot_rows(const DotArgs& a, const std::int8_t* rows, const __m256i* weights,
              const std::int32_t* start, std::int32_t* sums) {
  __m256i sum[kRows][2];
  for (int r = 0; r < kRows; ++r) {
    for (int h = 0; h < 2; ++h) {
      sum[r][h] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(start) + h);
      if (a.accumulate) {
        const auto* old = reinterpret_cast<const __m256i*>(sums + r * a.sums_stride) + h;
        sum[r][h] = _mm256_add_epi32(sum[r][h], _mm256_loadu_si256(old));
      }
    }
  }
  for (std::int64_t step = 0; step < a.steps; ++step) {
    const __m256i low = _mm256_loadu_si256(weights + 2 * step);
    const __m256i high = _mm256_loadu_si256(weights + 2 * step + 1);
    for (int r = 0; r < kRows; ++r) {
      std::int32_t pair;
      __builtin_memcpy(&pair, rows + r * a.row_bytes + 4 * step, sizeof pair);
      const __m256i x = _mm256_set1_epi32(pair);
      sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(low, x));
      sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(high, x));
    }
  }
  for (int r = 0; r < kRows; ++r) {
    auto* to = reinterpret_cast<__m256i*>(sums + r * a.sums_stride);
    _mm256_storeu_si256(to, sum[r][0]);
    _mm256_storeu_si256(to + 1, sum[r][1]);
  }
}

void dot_words(const DotArgs& a) {
  constexpr int kMaxRows = 6;
  using Kernel = void (*)(const DotArgs&, const std::int8_t*, const __m256i*, const std::int32_t*,
                          std::int32_t*);
  static constexpr Kernel kKernels[kMaxRows] = {dot_rows<1>, dot_rows<2>, dot_rows<3>,
                                                dot_rows<4>, dot_rows<5>, dot_rows<6>};
  for (std::int64_t block = 0; block < a.blocks; ++block) {
    const auto* weights = reinterpret_cast<const __m256i*>(
        static_cast<const std::int8_t*>(a.weights) + block * a.block_bytes);
    for (std::int64_t row = 0; row < a.row_count;) {
      const std::int64_t left = a.row_count - row;
      const std::int64_t count = left < kMaxRows ? left : kMaxRows;
      kKernels[count - 1](a, static_cast<const std::int8_t*>(a.rows) + row * a.row_bytes, weights,
                          a.start + block * kBlock, a.sums + row * a.sums_stride + block * kBlock);
      row += count;
    }
  }
}

constexpr KernelTable kTable{nullptr, dot_words, dot_depthwise, ordered, exact, requantize};

}  // namespace

const KernelTable& avx2_kernels() { return kTable; }

}  // namespace bitpulse::detail
