// SPDX-License-Identifier: Apache-2.0
#pragma once

// The requantizer: an integer sum times a dyadic number, rounded, with a declared tie rule.
//   y = clamp(round(value * m / 2^shift)),  |m| < 2^31,  0 <= shift <= 62
// Source: Yao et al., "HAWQ-V3", ICML 2021 (31-bit m, shift per channel); Zhao et al., "Linear
// Symmetric Quantization of Neural Networks for Low-precision Integer Hardware", ICLR 2020 (8-bit
// m, one shift per layer).

#include <cassert>
#include <cstdint>
#include <vector>

#include "models/precision.h"

namespace bitpulse {

struct Multiplier {
  std::int32_t m = 0;
  std::uint8_t shift = 0;
  friend bool operator==(Multiplier a, Multiplier b) { return a.m == b.m && a.shift == b.shift; }
};

/// round(value / 2^shift) by `rounding`; exact for |value| < 2^62 and shift <= 62.
constexpr std::int64_t round_shift(std::int64_t value, int shift, Rounding rounding) {
  assert(shift >= 0 && shift <= 62);
  if (shift == 0) return value;
  const std::int64_t half = std::int64_t{1} << (shift - 1);
  const std::int64_t floor = value >> shift;
  const std::int64_t rest = value & (2 * half - 1);  // value - floor * 2^shift
  switch (rounding) {
    case Rounding::kHalfUp:
      return floor + (rest >= half ? 1 : 0);
    case Rounding::kHalfEven:
      return floor + (rest > half || (rest == half && (floor & 1) != 0) ? 1 : 0);
    case Rounding::kHalfAway:
      return floor + (rest > half || (rest == half && value >= 0) ? 1 : 0);
  }
  return floor;
}

constexpr std::int64_t clamp(std::int64_t value, CodeRange range) {
  return value < range.min ? range.min : value > range.max ? range.max : value;
}

/// Multipliers of a layer's outputs: none (the value is copied), one, or one per output channel.
/// `negative` holds leaky ReLU's second multipliers (same shifts), used where value * m < 0; it is
/// empty or as long as `positive`.
struct Requantizer {
  std::vector<Multiplier> positive;
  std::vector<std::int32_t> negative;

  bool empty() const { return positive.empty(); }
  std::int64_t apply(std::int64_t value, std::int64_t channel, Rounding rounding) const {
    if (positive.empty()) return value;
    const auto i = positive.size() == 1 ? 0 : static_cast<std::size_t>(channel);
    std::int64_t product = value * positive[i].m;
    if (product < 0 && !negative.empty()) product = value * negative[i];
    return round_shift(product, positive[i].shift, rounding);
  }
};

}  // namespace bitpulse
