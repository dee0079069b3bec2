// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the instruction-set specific files offer to the rest. They see raw memory only and
// include no library code, so that nothing compiled with their flags is linked into the rest.

#include <cstdint>

#include "models/precision.h"
#include "quant/integer/accumulation.h"
#include "quant/integer/isa.h"

namespace bitpulse::detail {

/// Weights of a block of 16 output channels are packed [step][channel][codes of a step]: four bytes
/// or two words, zero beyond the last code.
inline constexpr std::int64_t kBlock = 16;

/// sums[row][channel] = start + sum of products (added to what stands there if `accumulate`), mod
/// 2^32. `blocks` blocks of channels, `block_bytes` apart.
struct DotArgs {
  const void* rows;
  std::int64_t row_bytes, row_count;
  const void* weights;
  std::int64_t block_bytes, blocks, steps;
  const std::int32_t* start;
  std::int32_t* sums;
  std::int64_t sums_stride;
  bool accumulate;
};

/// As DotArgs for one block whose channel n reads row[position * channels + n] (words).
struct DepthwiseArgs {
  const std::int16_t* rows;
  std::int64_t row_stride, row_count;
  const void* weights;
  std::int64_t positions, channels;
  const std::int32_t* start;
  std::int32_t* sums;
  std::int64_t sums_stride;
  bool accumulate;
};

/// One block in AccumulationOrder's order. acts[row * act_row + digit * act_digit + code * act_step
/// (+ channel, depthwise)] are whole codes or digits.
struct OrderedArgs {
  const std::int32_t* acts;
  std::int64_t act_row, act_digit, act_step;
  std::int64_t row_count;
  const void* weights;
  int step_codes;  // 4 or 2
  Dataflow dataflow;
  Overflow overflow;
  int acc_bits, digit_bits, act_digits, weight_digits;
  std::int64_t lanes, cin, lane_begin;
  const std::int64_t* ends;  // of segments
  std::int64_t segments;
  bool narrow_lanes;  // no exact result leaves 32 bits
  std::int32_t* sums;
  std::int64_t sums_stride;
};

/// Rows of values become rows of codes; `columns` is a multiple of kBlock, per-column parameters
/// are as wide.
struct RequantizeArgs {
  const std::int32_t* values;
  std::int64_t value_stride, rows, columns;
  const std::int64_t *m, *shift, *half;  // half = 2^(shift-1), 0 where shift is 0
  const std::int64_t* negative;          // second multipliers, or null
  const std::int32_t* other;             // second operand, or null
  std::int64_t other_stride;
  const std::int64_t* other_m;
  std::int64_t min, max;
  Rounding rounding;
  std::int32_t* out;
  std::int64_t out_stride;
};

struct KernelTable {
  void (*dot_bytes)(const DotArgs&);  // u8 rows; null where rows are always words
  void (*dot_words)(const DotArgs&);
  void (*dot_depthwise)(const DepthwiseArgs&);
  /// Returns the intermediate overflows. `depthwise`: each channel reads its own activations.
  std::uint64_t (*ordered)(const OrderedArgs&, bool depthwise);
  /// Adds the exact sums to exact[row * stride + channel].
  void (*exact)(const OrderedArgs&, bool depthwise, std::int64_t* exact, std::int64_t stride);
  /// Returns how many results were clamped.
  std::uint64_t (*requantize)(const RequantizeArgs&);
};

const KernelTable& kernels(Isa isa);

const KernelTable& portable_kernels();
const KernelTable& avx2_kernels();
const KernelTable& avx512_kernels();

}  // namespace bitpulse::detail
