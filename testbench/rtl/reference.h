// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the RTL must compute, in plain integers and by other means than the RTL: remainders instead
// of masks, multiplications instead of bricks.

#include <cstdint>

#include "sim/rtl/ports.h"

namespace bitpulse::rtl::reference {

/// A value brought into the accumulator format, and whether it had to be.
struct Fitted {
  std::int64_t value = 0;
  bool overflow = false;
};

inline Fitted fit(std::int64_t exact, AccFormat format) {
  const std::int64_t span = std::int64_t{1} << format.bits;
  const std::int64_t max = span / 2 - 1, min = -(span / 2);
  if (exact >= min && exact <= max) return {exact, false};
  if (format.saturate) return {exact > 0 ? max : min, true};
  std::int64_t wrapped = exact % span;  // -span < wrapped < span
  if (wrapped < min) wrapped += span;
  if (wrapped > max) wrapped -= span;
  return {wrapped, true};
}

/// A sum and the overflows met so far while forming it.
struct Sum {
  std::int64_t value = 0;
  std::uint32_t overflows = 0;
};

/// psum + (product << shift), step by step: a shift by zero leaves the product exact.
inline Sum accumulate(Sum psum, std::int64_t product, int shift, AccFormat format) {
  Sum sum{0, psum.overflows};
  std::int64_t term = product;
  if (shift > 0) {
    const Fitted shifted = fit(product * (std::int64_t{1} << shift), format);
    sum.overflows += shifted.overflow ? 1u : 0u;
    term = shifted.value;
  }
  const Fitted fitted = fit(psum.value + term, format);
  sum.overflows += fitted.overflow ? 1u : 0u;
  sum.value = fitted.value;
  return sum;
}

/// The integer that `bits` low bits of `word` from bit `from` on stand for.
inline std::int64_t operand(std::uint32_t word, int from, int bits, bool is_signed) {
  const std::int64_t value = (word >> from) & ((std::uint32_t{1} << bits) - 1);
  return is_signed && value >= std::int64_t{1} << (bits - 1) ? value - (std::int64_t{1} << bits)
                                                             : value;
}

/// Sum of the lane products of a fused PE.
inline std::int64_t dot(std::uint32_t act, Format act_format, std::uint32_t weight,
                        Format weight_format) {
  const int a = act_format.bits, w = weight_format.bits;
  std::int64_t sum = 0;
  for (int lane = 0; lane < 64 / (a * w); ++lane) {
    sum += operand(act, lane * a, a, act_format.is_signed) *
           operand(weight, lane * w, w, weight_format.is_signed);
  }
  return sum;
}

}  // namespace bitpulse::rtl::reference
