// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <random>

#include "quant/methods/histogram.h"
#include "quant/methods/rounding.h"
#include "quant/methods/weight_codes.h"
#include "testbench/catch.h"

namespace bitpulse {

namespace {

std::vector<float> normals(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& v : values) v = normal(random);
  return values;
}

Histogram histogram_of(const std::vector<float>& values, int threads = 1) {
  Histogram histogram;
  histogram.add(values.data(), values.size(), threads);
  return histogram;
}

QuantizationSpec rule(CalibrationRule calibration) {
  QuantizationSpec spec;
  spec.calibration = calibration;
  return spec;
}

CodeRange range(std::uint8_t bits, bool is_signed) { return Precision{bits, is_signed}.range(); }

}  // namespace

TEST_CASE("min/max calibration clips neither end", "[quant][calibration]") {
  const Histogram h = histogram_of({-3, 0.5f, 2});
  const QuantizationSpec spec = rule(CalibrationRule::kMinMax);
  CHECK(choose_scale(h, range(8, true), spec) == Approx(3.0 / 128));
  CHECK(choose_scale(histogram_of({-1, 5}), range(8, true), spec) == Approx(5.0 / 127));
  CHECK(choose_scale(histogram_of({0, 5}), range(4, false), spec) == Approx(5.0 / 15));
  CHECK(choose_scale(histogram_of({0, 0}), range(4, false), spec) == 1);
}

TEST_CASE("MSE calibration finds the optimal steps of normal data", "[quant][calibration]") {
  // Optimal steps for N(0,1) and |N(0,1)| by numerical integration, 1 % accurate at 8 bits.
  struct Row {
    std::uint8_t bits;
    double is_signed, is_unsigned;
  };
  const std::vector<float> both = normals(1000000, 1);
  std::vector<float> half = both;
  for (float& v : half) v = std::abs(v);
  const Histogram signed_data = histogram_of(both), unsigned_data = histogram_of(half);
  const QuantizationSpec spec = rule(CalibrationRule::kMse);
  for (const Row& row :
       {Row{2, 1.048, 0.6508}, {3, 0.6020, 0.3534}, {4, 0.3387, 0.1932}, {8, 0.0308, 0.0165}}) {
    CAPTURE(static_cast<int>(row.bits));
    const double s = choose_scale(signed_data, range(row.bits, true), spec);
    const double u = choose_scale(unsigned_data, range(row.bits, false), spec);
    CHECK(s == Approx(row.is_signed).epsilon(0.04));
    CHECK(u == Approx(row.is_unsigned).epsilon(0.04));
  }
}

TEST_CASE("a histogram's error is that of its data", "[quant][calibration]") {
  const std::vector<float> values = normals(20000, 3);
  const Histogram h = histogram_of(values);
  for (const double scale : {0.05, 0.3, 1.0}) {
    double error = 0;
    for (const float v : values) {
      const double d =
          static_cast<double>(v) -
          scale * static_cast<double>(nearest_code(static_cast<double>(v) / scale, range(4, true)));
      error += d * d;
    }
    CHECK(h.squared_error(scale, range(4, true)) == Approx(error).epsilon(0.01));
  }
}

TEST_CASE("percentile calibration leaves out the outlier", "[quant][calibration]") {
  std::vector<float> values(9999, 1.0f);
  values.push_back(1000);
  const Histogram h = histogram_of(values);
  QuantizationSpec spec = rule(CalibrationRule::kPercentile);
  spec.percentile = 99.9;
  CHECK(choose_scale(h, range(8, false), spec) == Approx(1.0 / 255).epsilon(0.3));
  CHECK(choose_scale(h, range(16, true), spec) == Approx(1000.0 / 32767));
  spec.percentile = 100;
  CHECK(choose_scale(h, range(8, false), spec) == Approx(1000.0 / 255));
}

TEST_CASE("a histogram that widened equals one that saw the largest value first",
          "[quant][calibration]") {
  const std::vector<float> small = normals(1000, 1);
  std::vector<float> large = small;
  for (float& v : large) v *= 37;
  Histogram up, down;
  up.add(small.data(), small.size(), 1);
  up.add(large.data(), large.size(), 1);
  down.add(large.data(), large.size(), 1);
  down.add(small.data(), small.size(), 1);
  for (const double scale : {0.5, 3.0, 20.0})
    CHECK(up.squared_error(scale, range(4, true)) == down.squared_error(scale, range(4, true)));
}

TEST_CASE("values too small or too large to be told apart are counted all the same",
          "[quant][calibration]") {
  const QuantizationSpec spec = rule(CalibrationRule::kMse);
  const float least = std::numeric_limits<float>::denorm_min();
  const float infinity = std::numeric_limits<float>::infinity();
  const double scale = choose_scale(histogram_of({least, -least, 4 * least}), range(4, true), spec);
  CHECK((scale > 0 && scale < 1e-44));
  Histogram late = histogram_of({1, -2});
  const std::vector<float> overflowed{infinity, -infinity, std::nanf("")};
  late.add(overflowed.data(), overflowed.size(), 1);
  CHECK(late.largest_positive() == infinity);
  CHECK(late.largest_negative() == infinity);
}

TEST_CASE("calibration does not depend on the thread count", "[quant][calibration][determinism]") {
  const std::vector<float> values = normals(1500000, 9);
  CHECK(histogram_of(values, 1).squared_error(0.1, range(8, true)) ==
        histogram_of(values, 4).squared_error(0.1, range(8, true)));
}

TEST_CASE("weight scales: widest, narrow, binary, and of least error", "[quant][weights]") {
  const float weights[] = {-1, 0.5f, 0.25f, 0.25f};
  QuantizationSpec spec = rule(CalibrationRule::kMinMax);
  CHECK(weight_scale(weights, 4, 8, spec) == Approx(1.0 / 127));
  CHECK(weight_scale(weights, 4, 1, spec) == Approx(0.5));  // mean |w|
  const FoldedGemm gemm{{weights, weights + 4}, {0}};
  const auto codes = [&](std::uint8_t bits, double scale, bool narrow) {
    return encode_weights(gemm, {bits}, {scale}, narrow).narrow;
  };
  CHECK(codes(2, 0.25, false) == std::vector<std::int8_t>{-2, 1, 1, 1});
  CHECK(codes(2, 0.25, true) == std::vector<std::int8_t>{-1, 1, 1, 1});
  CHECK(codes(1, 0.5, false) == std::vector<std::int8_t>{-1, 1, 1, 1});
  CHECK(codes(8, 1.0 / 2, false) == std::vector<std::int8_t>{-2, 1, 0, 0});  // ties to even

  const std::vector<float> many = normals(200000, 4);
  spec.calibration = CalibrationRule::kMse;
  CHECK(weight_scale(many.data(), many.size(), 2, spec) == Approx(1.048).epsilon(0.04));
  CHECK(weight_scale(many.data(), many.size(), 4, spec) == Approx(0.3387).epsilon(0.04));
}

TEST_CASE("16-bit weights of some channels take the wide codes", "[quant][weights]") {
  const FoldedGemm gemm{{0.5f, -1, 0.5f, -1}, {0, 0}};
  const WeightCodes codes = encode_weights(gemm, {16, 4}, {1.0 / 32767, 1.0 / 7}, false);
  CHECK(codes.narrow.empty());
  CHECK(codes.wide == std::vector<std::int16_t>{16384, -32767, 4, -7});
}

TEST_CASE("channels of zeros and channels with huge biases get usable scales", "[quant][weights]") {
  const FoldedGemm gemm{{0, 0, 0.5f, -1, 1e-12f, 0}, {0.1, 0, 3}};
  const auto scales = weight_scales(gemm, {8, 8, 8}, 0.01, rule(CalibrationRule::kMinMax), 1);
  CHECK(scales[1] == Approx(1.0 / 127));
  CHECK(scales[0] == scales[1]);
  CHECK(3 / (scales[2] * 0.01) <= 1073741824.0 * (1 + 1e-9));
  const FoldedGemm dead{{0, 0}, {1}};
  CHECK(weight_scales(dead, {8}, 0.01, rule(CalibrationRule::kMse), 1)[0] > 0);
}

}  // namespace bitpulse
