// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/lsq.h"

#include <cmath>
#include <random>
#include <vector>

#include "testbench/catch.h"

namespace bitpulse {

namespace {

constexpr CodeRange kSigned2{-2, 1}, kSigned3{-4, 3}, kSigned4{-8, 7}, kSigned8{-128, 127};
constexpr CodeRange kUnsigned2{0, 3}, kUnsigned4{0, 15};

struct Slopes {
  double step = 0;  // d out / d step
  float v = 0;      // d out / d v
};

/// The two derivatives at v / step = u.
Slopes slopes(float u, CodeRange range, float step = 1) {
  const float v = u * step, one = 1;
  Slopes result;
  result.step = lsq_backward(&v, &one, 1, step, range, Rounding::kHalfEven, &result.v);
  return result;
}

std::vector<float> normal(std::size_t count) {
  std::mt19937 random(7);
  std::normal_distribution<float> draw;
  std::vector<float> values(count);
  for (float& value : values) value = draw(random);
  return values;
}

}  // namespace

TEST_CASE("the step's slope is round(u) - u inside, and the end's code at and beyond it",
          "[quant][lsq]") {
  CHECK(slopes(1.49f, kSigned4).step == Approx(-0.49).epsilon(1e-5));
  CHECK(slopes(1.51f, kSigned4).step == Approx(0.49).epsilon(1e-5));
  CHECK(slopes(-1.49f, kSigned4).step == Approx(0.49).epsilon(1e-5));
  CHECK(slopes(2.0f, kSigned4).step == 0);
  CHECK(slopes(6.99f, kSigned4).step == Approx(0.01).epsilon(1e-3));
  for (const float u : {7.0f, 7.2f, 1000.0f}) CHECK(slopes(u, kSigned4).step == 7);
  for (const float u : {-8.0f, -8.2f, -1000.0f}) CHECK(slopes(u, kSigned4).step == -8);
  for (const float u : {0.0f, -0.1f, -3.0f}) CHECK(slopes(u, kUnsigned4).step == 0);
  CHECK(slopes(15.0f, kUnsigned4).step == 15);
}

TEST_CASE("the data's slope is 1 strictly inside the range and 0 at its ends", "[quant][lsq]") {
  for (const float u : {-7.99f, -0.5f, 0.0f, 3.3f, 6.99f}) CHECK(slopes(u, kSigned4).v == 1);
  for (const float u : {-9.0f, -8.0f, 7.0f, 7.4f}) CHECK(slopes(u, kSigned4).v == 0);
  for (const float u : {-1.0f, 0.0f, 3.0f}) CHECK(slopes(u, kUnsigned2).v == 0);
  CHECK(slopes(0.01f, kUnsigned2).v == 1);
}

TEST_CASE("values are clipped, then rounded, ties as the rule says", "[quant][lsq]") {
  const auto code = [](float v, Rounding rounding) {
    return lsq_code(v, 0.5f, kSigned4, rounding);
  };
  // u = 2.5 and -2.5: the ties.
  CHECK(code(1.25f, Rounding::kHalfEven) == 2);
  CHECK(code(1.25f, Rounding::kHalfUp) == 3);
  CHECK(code(1.25f, Rounding::kHalfAway) == 3);
  CHECK(code(-1.25f, Rounding::kHalfEven) == -2);
  CHECK(code(-1.25f, Rounding::kHalfUp) == -2);
  CHECK(code(-1.25f, Rounding::kHalfAway) == -3);
  for (const Rounding rounding : {Rounding::kHalfEven, Rounding::kHalfUp, Rounding::kHalfAway}) {
    CHECK(code(100, rounding) == 7);
    CHECK(code(-100, rounding) == -8);
    CHECK(code(1.2f, rounding) == 2);
    CHECK(code(-1.3f, rounding) == -3);
  }
}

TEST_CASE("forward and backward agree with one element at a time, at every length",
          "[quant][lsq]") {
  const std::vector<float> v = normal(kLsqBlock * 2 + 13);
  std::vector<float> gradient = normal(v.size());
  std::vector<float> out(v.size()), masked(v.size());
  for (const std::size_t count : {std::size_t{1}, std::size_t{9}, kLsqBlock + 5, v.size()}) {
    lsq_forward(v.data(), count, 0.3f, kSigned3, Rounding::kHalfUp, out.data());
    const double sum = lsq_backward(v.data(), gradient.data(), count, 0.3f, kSigned3,
                                    Rounding::kHalfUp, masked.data());
    double expected = 0;
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const float u = v[i] / 0.3f, code = lsq_code(v[i], 0.3f, kSigned3, Rounding::kHalfUp);
      const bool inside = u > -4 && u < 3;
      wrong += out[i] != code * 0.3f;
      wrong += masked[i] != (inside ? gradient[i] : 0);
      expected += static_cast<double>(gradient[i] * (inside ? code - u : code));
    }
    CHECK(wrong == 0);
    CHECK(sum == Approx(expected).epsilon(1e-4).margin(1e-3));
  }
}

TEST_CASE("the gradient scale is 1 / sqrt(N Q_P)", "[quant][lsq]") {
  constexpr std::int64_t kWeights = 3 * 3 * 256 * 256;
  CHECK(lsq_gradient_scale(kWeights, kSigned4) == Approx(4.921e-4).epsilon(1e-4));
  CHECK(lsq_gradient_scale(kWeights, kSigned3) == Approx(7.518e-4).epsilon(1e-4));
  CHECK(lsq_gradient_scale(kWeights, kSigned2) == Approx(1.302e-3).epsilon(1e-3));
  CHECK(lsq_gradient_scale(kWeights, kSigned8) == Approx(1.155e-4).epsilon(1e-3));
}

TEST_CASE("the first step of a normal distribution is the paper's, and zeros give 0",
          "[quant][lsq]") {
  const std::vector<float> v = normal(1'000'000);
  const auto first = [&](CodeRange range) { return lsq_first_step(v.data(), v.size(), range); };
  CHECK(first(kSigned2) == Approx(1.596).epsilon(0.005));
  CHECK(first(kSigned3) == Approx(0.921).epsilon(0.005));
  CHECK(first(kSigned4) == Approx(0.603).epsilon(0.005));
  CHECK(first(kSigned8) == Approx(0.142).epsilon(0.005));
  const std::vector<float> zeros(10, 0);
  CHECK(lsq_first_step(zeros.data(), zeros.size(), kSigned4) == 0);
  CHECK(least_error_step(zeros.data(), zeros.size(), kSigned4) == 0);
}

TEST_CASE("the step of least error is that of a normal distribution", "[quant][lsq]") {
  const std::vector<float> v = normal(200'000);
  CHECK(least_error_step(v.data(), v.size(), kSigned2) == Approx(1.048).epsilon(0.03));
  CHECK(least_error_step(v.data(), v.size(), kSigned4) == Approx(0.339).epsilon(0.03));
  std::vector<float> half = v;
  for (float& x : half) x = std::abs(x);
  CHECK(least_error_step(half.data(), half.size(), kUnsigned2) == Approx(0.651).epsilon(0.03));
}

}  // namespace bitpulse
