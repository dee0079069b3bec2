// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/llsq.h"

#include <cmath>
#include <random>
#include <vector>

#include "testbench/catch.h"

namespace bitpulse {

namespace {

CodeRange signed_range(int bits) {
  return Precision{static_cast<std::uint8_t>(bits), true}.range();
}
CodeRange unsigned_range(int bits) {
  return Precision{static_cast<std::uint8_t>(bits), false}.range();
}

std::vector<float> normal(std::size_t count, bool half) {
  std::mt19937 random(11);
  std::normal_distribution<float> draw;
  std::vector<float> values(count);
  for (float& value : values) value = half ? std::abs(draw(random)) : draw(random);
  return values;
}

/// Follows the simulated gradient until it stays within a step of one place.
double settled(const std::vector<float>& x, double from, CodeRange range) {
  auto a = static_cast<float>(from);
  for (int i = 0; i < 2000; ++i) {
    const LlsqMove move = llsq_decide(llsq_errors(x.data(), x.size(), a, range, 2, false));
    if (move == LlsqMove::kKeep) break;
    // A relative step of 0.5 %: a rate of 0.005 / a.
    a -= 0.005f / a * llsq_gradient(move, a);
  }
  return static_cast<double>(a);
}

}  // namespace

TEST_CASE("the decision follows the authors' table, ties included", "[quant][llsq]") {
  const auto decide = [](double smaller, double same, double bigger) {
    return llsq_decide({same, smaller, bigger}, false);
  };
  // g1 = same >= smaller, g2 = bigger > same, g3 = bigger >= smaller.
  CHECK(decide(3, 2, 1) == LlsqMove::kGrow);    // 000
  CHECK(decide(2, 1, 1) == LlsqMove::kGrow);    // 000, bigger = same
  CHECK(decide(3, 1, 2) == LlsqMove::kKeep);    // 010
  CHECK(decide(2, 1, 3) == LlsqMove::kKeep);    // 011
  CHECK(decide(2, 3, 1) == LlsqMove::kGrow);    // 100: a local maximum
  CHECK(decide(1, 3, 2) == LlsqMove::kShrink);  // 101: a local maximum
  CHECK(decide(2, 3, 2) == LlsqMove::kShrink);  // 101, equal neighbours
  CHECK(decide(1, 2, 3) == LlsqMove::kShrink);  // 111
  CHECK(decide(1, 1, 2) == LlsqMove::kShrink);  // 111, same = smaller
  CHECK(decide(1, 1, 1) == LlsqMove::kShrink);  // 101: a dead layer, as the authors have it
  CHECK(llsq_decide({1, 1, 1}) == LlsqMove::kKeep);
}

TEST_CASE("the simulated gradient is -a^2, 0 and a^2, the average a share of the neighbour",
          "[quant][llsq]") {
  CHECK(llsq_gradient(LlsqMove::kGrow, 0.5f) == -0.25f);
  CHECK(llsq_gradient(LlsqMove::kKeep, 0.5f) == 0);
  CHECK(llsq_gradient(LlsqMove::kShrink, 0.5f) == 0.25f);
  CHECK(llsq_ema(LlsqMove::kGrow, 0.5f, 0.99, 2) == Approx(0.505));
  CHECK(llsq_ema(LlsqMove::kKeep, 0.5f, 0.99, 2) == 0.5f);
  CHECK(llsq_ema(LlsqMove::kShrink, 0.5f, 0.99, 2) == Approx(0.4975));
}

TEST_CASE("scales stop at the edge of the band they come from", "[quant][llsq]") {
  // Edges (a*, 2 a*) where the errors of a* and 2 a* are equal, for unit variance.
  struct Band {
    int bits;
    double signed_low, unsigned_low;
  };
  for (const Band band :
       {Band{2, 0.7264, 0.4681}, Band{3, 0.4337, 0.2641}, Band{4, 0.2533, 0.1492}}) {
    CAPTURE(band.bits);
    for (const bool half : {false, true}) {
      const std::vector<float> x = normal(100'000, half);
      const CodeRange range = half ? unsigned_range(band.bits) : signed_range(band.bits);
      const double low = half ? band.unsigned_low : band.signed_low;
      CHECK(settled(x, low * 3, range) == Approx(2 * low).epsilon(0.02));
      CHECK(settled(x, low / 4, range) == Approx(low).epsilon(0.02));
      CHECK(settled(x, low * 1.5, range) == Approx(low * 1.5));
    }
  }
}

TEST_CASE("first scales are the authors', by role and width", "[quant][llsq]") {
  const std::vector<float> x = {0.5f, -3.0f, 2.0f, 1.0f};
  CHECK(llsq_first_weight_scale(x.data(), 4, signed_range(4), false) == Approx(3.0 / 8));
  CHECK(llsq_first_weight_scale(x.data(), 4, signed_range(4), true) == Approx(3.0 / 7));
  CHECK(llsq_first_activation_scale(x.data(), 4, {4, false}) == Approx(3.0 / 16));
  CHECK(llsq_first_activation_scale(x.data(), 4, {3, false}) == Approx(3.0 / 14));
  CHECK(llsq_first_activation_scale(x.data(), 4, {2, false}) == Approx(3.0 / 6));
  CHECK(llsq_power_of_two_scale(x.data(), 4, {4, false}) == 0.25);  // 2^ceil(log2(3 / 16))
  CHECK(llsq_power_of_two_scale(x.data(), 4, {4, true}) == 0.5);    // 2^ceil(log2(3 / 8))
}

TEST_CASE("activations pass a gradient strictly inside their range only", "[quant][llsq]") {
  const std::vector<float> x = {-0.1f, 0.0f, 0.1f, 7.4f, 7.5f, 8.0f};
  const std::vector<float> above(x.size(), 2.0f);
  std::vector<float> below(x.size());
  llsq_activation_gradient(x.data(), above.data(), x.size(), 0.5f, unsigned_range(4), below.data());
  CHECK(below == std::vector<float>{0, 0, 2, 2, 0, 0});
}

TEST_CASE("errors are means of squares or of magnitudes, whatever the length", "[quant][llsq]") {
  const std::vector<float> x = normal(10'001, false);
  for (const bool absolute : {false, true}) {
    const LlsqErrors errors = llsq_errors(x.data(), x.size(), 0.4f, signed_range(3), 2, absolute);
    const auto expected = [&](double s) {
      double sum = 0;
      for (const float value : x) {
        const double u = std::nearbyint(std::clamp(static_cast<double>(value) / s, -4.0, 3.0));
        const double d = static_cast<double>(value) - s * u;
        sum += absolute ? std::abs(d) : d * d;
      }
      return sum / static_cast<double>(x.size());
    };
    CHECK(errors.same == Approx(expected(0.4)).epsilon(1e-4));
    CHECK(errors.smaller == Approx(expected(0.2)).epsilon(1e-4));
    CHECK(errors.bigger == Approx(expected(0.8)).epsilon(1e-4));
  }
}

}  // namespace bitpulse
