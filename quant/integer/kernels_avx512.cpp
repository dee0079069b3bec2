// SPDX-License-Identifier: Apache-2.0
// AVX-512 VNNI: vpdpbusd for bytes, vpdpwssd for words, in register tiles of up to 24 sums.
#include <immintrin.h>

#include <type_traits>

#include "quant/integer/kernel_table.h"

namespace bitpulse::detail {
namespace {

constexpr int kVectorBytes = 64;

#include "quant/integer/ordered_kernel.inl"
#include "quant/integer/requantize_kernel.inl"

struct Bytes {
  static __m512i dot(__m512i sum, __m512i x, __m512i w) { return _mm512_dpbusd_epi32(sum, x, w); }
};
struct Words {
  static __m512i dot(__m512i sum, __m512i x, __m512i w) { return _mm512_dpwssd_epi32(sum, x, w); }
};

template <class Dot, int kBlocks, int kRows>
void dot_tile(const DotArgs& a, std::int64_t row, std::int64_t block) {
  const std::int8_t* x = static_cast<const std::int8_t*>(a.rows) + row * a.row_bytes;
  const std::int8_t* w = static_cast<const std::int8_t*>(a.weights) + block * a.block_bytes;
  std::int32_t* to = a.sums + row * a.sums_stride + block * kBlock;
  __m512i sum[kRows][kBlocks];
  for (int r = 0; r < kRows; ++r) {
    for (int b = 0; b < kBlocks; ++b) {
      sum[r][b] = _mm512_loadu_si512(a.start + (block + b) * kBlock);
      if (a.accumulate) {
        const __m512i old = _mm512_loadu_si512(to + r * a.sums_stride + b * kBlock);
        sum[r][b] = _mm512_add_epi32(sum[r][b], old);
      }
    }
  }
  for (std::int64_t step = 0; step < a.steps; ++step, x += 4, w += 64) {
    __m512i weights[kBlocks];
    for (int b = 0; b < kBlocks; ++b) weights[b] = _mm512_loadu_si512(w + b * a.block_bytes);
    for (int r = 0; r < kRows; ++r) {
      std::int32_t codes;
      __builtin_memcpy(&codes, x + r * a.row_bytes, sizeof codes);
      const __m512i acts = _mm512_set1_epi32(codes);
      for (int b = 0; b < kBlocks; ++b) sum[r][b] = Dot::dot(sum[r][b], acts, weights[b]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int b = 0; b < kBlocks; ++b) {
      _mm512_storeu_si512(to + r * a.sums_stride + b * kBlock, sum[r][b]);
    }
  }
}

using TileKernel = void (*)(const DotArgs&, std::int64_t row, std::int64_t block);

/// All rows of kBlocks blocks, in tiles of at most kMaxRows rows and nearly equal height.
template <class Dot, int kBlocks, int kMaxRows>
void dot_blocks(const DotArgs& a, std::int64_t block, const TileKernel* by_rows) {
  const std::int64_t tiles = (a.row_count + kMaxRows - 1) / kMaxRows;
  for (std::int64_t t = 0; t < tiles; ++t) {
    const std::int64_t begin = a.row_count * t / tiles;
    const std::int64_t end = a.row_count * (t + 1) / tiles;
    by_rows[end - begin - 1](a, begin, block);
  }
}

template <class D>
constexpr TileKernel kFour[] = {dot_tile<D, 4, 1>, dot_tile<D, 4, 2>, dot_tile<D, 4, 3>,
                                dot_tile<D, 4, 4>, dot_tile<D, 4, 5>, dot_tile<D, 4, 6>};
template <class D>
constexpr TileKernel kTwo[] = {dot_tile<D, 2, 1>,  dot_tile<D, 2, 2>,  dot_tile<D, 2, 3>,
                               dot_tile<D, 2, 4>,  dot_tile<D, 2, 5>,  dot_tile<D, 2, 6>,
                               dot_tile<D, 2, 7>,  dot_tile<D, 2, 8>,  dot_tile<D, 2, 9>,
                               dot_tile<D, 2, 10>, dot_tile<D, 2, 11>, dot_tile<D, 2, 12>};
template <class D>
constexpr TileKernel kOne[] = {dot_tile<D, 1, 1>, dot_tile<D, 1, 2>, dot_tile<D, 1, 3>,
                               dot_tile<D, 1, 4>, dot_tile<D, 1, 5>, dot_tile<D, 1, 6>,
                               dot_tile<D, 1, 7>, dot_tile<D, 1, 8>};

template <class Dot>
void dot(const DotArgs& a) {
  std::int64_t block = 0;
  for (; block + 4 <= a.blocks; block += 4) dot_blocks<Dot, 4, 6>(a, block, kFour<Dot>);
  for (; block + 2 <= a.blocks; block += 2) dot_blocks<Dot, 2, 12>(a, block, kTwo<Dot>);
  for (; block < a.blocks; ++block) dot_blocks<Dot, 1, 8>(a, block, kOne<Dot>);
}

constexpr KernelTable kTable{dot<Bytes>, dot<Words>, dot_depthwise, ordered, exact, requantize};

}  // namespace

const KernelTable& avx512_kernels() { return kTable; }

}  // namespace bitpulse::detail
