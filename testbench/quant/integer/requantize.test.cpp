// SPDX-License-Identifier: Apache-2.0
#include "quant/integer/requantize.h"

#include <cmath>
#include <limits>

#include "testbench/catch.h"

namespace bitpulse {
namespace {

__extension__ using Wide = __int128;

/// round(value / 2^shift) from the rules' definitions, in 128 bits.
std::int64_t defined(std::int64_t value, int shift, Rounding rounding) {
  const Wide unit = Wide{1} << shift;
  Wide down = value / unit;
  if (down * unit > value) --down;
  const Wide twice_rest = 2 * (value - down * unit);
  const bool tie = twice_rest == unit;
  bool up = twice_rest >= unit;
  if (tie && rounding == Rounding::kHalfEven) up = down % 2 != 0;
  if (tie && rounding == Rounding::kHalfAway) up = value >= 0;
  return static_cast<std::int64_t>(down + (up ? 1 : 0));
}

TEST_CASE("roundings equal those of the C library on every small value", "[quant][requantize]") {
  for (int shift = 0; shift <= 8; ++shift) {
    for (std::int64_t value = -1500; value <= 1500; ++value) {
      const double real = std::ldexp(static_cast<double>(value), -shift);
      CAPTURE(value, shift);
      REQUIRE(round_shift(value, shift, Rounding::kHalfUp) ==
              static_cast<std::int64_t>(std::floor(real + 0.5)));
      REQUIRE(round_shift(value, shift, Rounding::kHalfEven) ==
              static_cast<std::int64_t>(std::nearbyint(real)));
      REQUIRE(round_shift(value, shift, Rounding::kHalfAway) ==
              static_cast<std::int64_t>(std::round(real)));
    }
  }
}

TEST_CASE("roundings hold at the ends of their range", "[quant][requantize]") {
  const std::int64_t end = (std::int64_t{1} << 62) - 1;
  for (Rounding rounding : {Rounding::kHalfUp, Rounding::kHalfEven, Rounding::kHalfAway}) {
    for (int shift = 0; shift <= 62; ++shift) {
      const std::int64_t half = shift == 0 ? 0 : std::int64_t{1} << (shift - 1);
      for (std::int64_t near : {-end, end, -half, half, 3 * (half / 2), std::int64_t{0}}) {
        for (std::int64_t value = near - 2; value <= near + 2; ++value) {
          if (value > end || value < -end) continue;
          CAPTURE(value, shift, static_cast<int>(rounding));
          REQUIRE(round_shift(value, shift, rounding) == defined(value, shift, rounding));
        }
      }
    }
  }
}

TEST_CASE("a requantizer takes the channel's multiplier and the second one for negative products",
          "[quant][requantize]") {
  Requantizer r;
  CHECK(r.apply(-77, 3, Rounding::kHalfUp) == -77);
  r.positive = {{3, 1}};
  CHECK(r.apply(5, 9, Rounding::kHalfUp) == 8);
  r.positive = {{4, 2}, {-4, 2}};
  r.negative = {1, -1};
  CHECK(r.apply(8, 0, Rounding::kHalfUp) == 8);
  CHECK(r.apply(-8, 0, Rounding::kHalfUp) == -2);
  CHECK(r.apply(-8, 1, Rounding::kHalfUp) == 8);
  CHECK(r.apply(8, 1, Rounding::kHalfUp) == -2);
  r.positive = {{std::numeric_limits<std::int32_t>::max(), 62}};
  r.negative.clear();
  CHECK(r.apply(std::numeric_limits<std::int32_t>::min(), 0, Rounding::kHalfUp) == -1);
}

}  // namespace
}  // namespace bitpulse
