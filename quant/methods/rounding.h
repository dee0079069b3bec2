// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rounding of real numbers to codes, the one place outside the integer requantizer.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "models/precision.h"

namespace bitpulse {

/// Round half even, whatever the floating-point environment says; |x| < 2^51.
inline double round_half_even(double x) {
  constexpr double kShift = 6755399441055744.0;  // 1.5 * 2^52: the unit of the sum is 1
  return (x + kShift) - kShift;
}

inline double round_real(double x, Rounding rounding) {
  if (rounding == Rounding::kHalfUp) return std::floor(x + 0.5);
  return rounding == Rounding::kHalfAway ? std::round(x) : round_half_even(x);
}

/// Nearest code of `real` (half even), saturated to `range`.
inline std::int64_t nearest_code(double real, CodeRange range) {
  const auto low = static_cast<double>(range.min), high = static_cast<double>(range.max);
  return static_cast<std::int64_t>(round_half_even(std::clamp(real, low, high)));
}

}  // namespace bitpulse
