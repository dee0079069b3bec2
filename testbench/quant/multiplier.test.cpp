// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/multiplier.h"

#include <cmath>
#include <random>

#include "models/error.h"
#include "testbench/catch.h"

namespace bitpulse {

namespace {

Multiplier dyadic(double ratio) { return dyadic_multiplier(ratio, "layer"); }

double value_of(Multiplier m) { return std::ldexp(m.m, -m.shift); }

std::string refusal(double ratio) {
  try {
    dyadic_multiplier(ratio, "layer 'c', channel 3");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInvalidInput);
    return error.what();
  }
  return "";
}

std::vector<std::int32_t> mantissas(const std::vector<Multiplier>& multipliers) {
  std::vector<std::int32_t> result;
  for (const Multiplier& m : multipliers) result.push_back(m.m);
  return result;
}

}  // namespace

TEST_CASE("dyadic multipliers equal the vectors of HAWQ-V3's code", "[quant][requantizer]") {
  CHECK(dyadic(0.0123456789) == Multiplier{1696777188, 37});
  CHECK(dyadic(0.5) == Multiplier{1 << 30, 31});
  CHECK(dyadic(1.0 / 3) == Multiplier{1431655765, 32});
  CHECK(dyadic(0.00078125) == Multiplier{1717986918, 41});
  CHECK(dyadic(1) == Multiplier{1 << 30, 30});
}

TEST_CASE("a mantissa that rounds to 2^31 becomes 2^30 with one shift less",
          "[quant][requantizer]") {
  CHECK(dyadic(0.9999999999) == Multiplier{1 << 30, 30});
  CHECK(dyadic(-0.9999999999) == Multiplier{-(1 << 30), 30});
  CHECK(dyadic(std::ldexp(0.9999999999, -20)) == Multiplier{1 << 30, 50});
  // One step below the tie it stays a 31-bit number: mantissa * 2^31 = 2^31 - 0.75.
  CHECK(dyadic(1 - std::ldexp(0.75, -31)) == Multiplier{2147483647, 31});
}

TEST_CASE("ratios at the ends: below 2^-31 nothing is left, from 2^31 on nothing fits",
          "[quant][requantizer]") {
  CHECK(dyadic(std::ldexp(1, -31)) == Multiplier{1 << 30, 61});
  CHECK(dyadic(std::nextafter(std::ldexp(1, -31), 0)).m == 0);
  CHECK(dyadic(0).m == 0);
  CHECK(dyadic(std::ldexp(1, 30)) == Multiplier{1 << 30, 0});
  CHECK(dyadic(2147483647.0) == Multiplier{2147483647, 0});
  for (const double bad : std::vector<double>{2147483648.0, 2147483647.9, INFINITY, NAN}) {
    const std::string message = refusal(bad);
    CAPTURE(bad, message);
    CHECK(message.find("layer 'c', channel 3") != std::string::npos);
    CHECK(message.find("no integer multiplier") != std::string::npos);
  }
}

TEST_CASE("a dyadic multiplier is within 2^-31 of its ratio", "[quant][requantizer]") {
  std::mt19937_64 random(1);
  double worst = 0;
  for (int i = 0; i < 1000000; ++i) {
    const double u = static_cast<double>(random() >> 11) * 0x1p-53;
    const double ratio = std::exp2(-20 * u);  // 1e-6 .. 1
    const Multiplier m = dyadic(ratio);
    REQUIRE(m.m >= 1 << 30);
    worst = std::max(worst, std::abs(value_of(m) - ratio) / ratio);
  }
  CHECK(worst <= 0x1p-31);
}

TEST_CASE("T_8 equals the vectors worked out from LLSQ's code", "[quant][requantizer]") {
  const auto three = truncated_multipliers({0.037, 0.0211, 0.0009}, 8, "layer");
  CHECK(mantissas(three) == std::vector<std::int32_t>{76, 43, 2});
  for (const Multiplier& m : three) CHECK(m.shift == 11);
  const auto two = truncated_multipliers({0.25, 0.1}, 8, "layer");
  CHECK(mantissas(two) == std::vector<std::int32_t>{127, 51});
  CHECK(two[0].shift == 9);
  const auto one = truncated_multipliers({0.5}, 8, "layer");
  CHECK(one[0] == Multiplier{127, 8});
}

TEST_CASE("T_8 at its ends", "[quant][requantizer]") {
  CHECK(mantissas(truncated_multipliers({0, 0}, 8, "l")) == std::vector<std::int32_t>{0, 0});
  CHECK(truncated_multipliers({0x1p-70}, 8, "l")[0] == Multiplier{0, 62});
  CHECK(truncated_multipliers({100.4}, 8, "l")[0] == Multiplier{100, 0});
  CHECK_THROWS_AS(truncated_multipliers({200}, 8, "l"), Error);
  CHECK(mantissas(truncated_multipliers({-0.037, 0.0211}, 8, "l")) ==
        std::vector<std::int32_t>{-76, 43});
}

TEST_CASE("leaky ReLU gets a second multiplier at the same shift", "[quant][requantizer]") {
  const Activation leaky{0.1};
  const Requantizer r = make_requantizer({0.02, 0.5}, leaky, MultiplierStyle::kDyadic31, "layer");
  REQUIRE(r.negative.size() == 2);
  for (std::size_t c = 0; c < 2; ++c)
    CHECK(std::ldexp(r.negative[c], -r.positive[c].shift) ==
          Approx(0.1 * value_of(r.positive[c])).epsilon(1e-8));
  CHECK(r.apply(1000, 1, Rounding::kHalfUp) == 500);
  CHECK(r.apply(-1000, 1, Rounding::kHalfUp) == -50);

  const Requantizer t8 = make_requantizer({0.02, 0.5}, leaky, MultiplierStyle::kLlsq8, "layer");
  CHECK(t8.positive[0].shift == t8.positive[1].shift);
  CHECK(t8.negative == std::vector<std::int32_t>{1, 13});  // 0.002 and 0.05 in units of 2^-8
  CHECK(make_requantizer({0.5}, Activation{0}, MultiplierStyle::kDyadic31, "l").negative.empty());
}

TEST_CASE("a leaky slope above one keeps both multipliers below 2^31", "[quant][requantizer]") {
  const Requantizer r = make_requantizer({0.9}, {3}, MultiplierStyle::kDyadic31, "layer");
  CHECK(std::ldexp(r.negative[0], -r.positive[0].shift) == Approx(2.7).epsilon(1e-8));
  CHECK(value_of(r.positive[0]) == Approx(0.9).epsilon(1e-8));
}

TEST_CASE("the two multipliers of a low-bit residual share their shift", "[quant][requantizer]") {
  for (const auto style : {MultiplierStyle::kDyadic31, MultiplierStyle::kLlsq8}) {
    const MultiplierPair pair = make_pair_of_multipliers(0.75, 0.3, style, "layer");
    const double tolerance = style == MultiplierStyle::kLlsq8 ? 0.02 : 1e-8;
    CHECK(value_of(pair.first) == Approx(0.75).epsilon(tolerance));
    CHECK(std::ldexp(pair.second, -pair.first.shift) == Approx(0.3).epsilon(tolerance));
  }
}

}  // namespace bitpulse
