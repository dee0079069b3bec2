// SPDX-License-Identifier: Apache-2.0
#pragma once

// What stands between a sum and its store: none, ReLU, ReLU6, leaky ReLU, or several in a row.

#include <algorithm>
#include <limits>

namespace bitpulse {

/// x -> min(x, max) for x >= 0, x * negative_slope below. Slopes are >= 0, so that it is monotone
/// and commutes with max-pooling, concatenation, slicing and reordering.
struct Activation {
  double negative_slope = 1;
  double max = std::numeric_limits<double>::infinity();

  bool non_negative() const { return negative_slope == 0; }
  bool is_leaky() const { return negative_slope != 0 && negative_slope != 1; }
  bool is_bounded() const { return max < std::numeric_limits<double>::infinity(); }

  double operator()(double x) const { return x < 0 ? x * negative_slope : std::min(x, max); }

  /// First this, then `next`.
  Activation then(const Activation& next) const {
    return {negative_slope * next.negative_slope, std::min(max, next.max)};
  }
  friend bool operator==(const Activation& a, const Activation& b) {
    return a.negative_slope == b.negative_slope && a.max == b.max;
  }
};

}  // namespace bitpulse
