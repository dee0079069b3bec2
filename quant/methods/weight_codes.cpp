// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/weight_codes.h"

#include <algorithm>
#include <cmath>

#include "quant/integer/parallel.h"
#include "quant/methods/rounding.h"
#include "quant/methods/scale_search.h"

namespace bitpulse {

namespace {

CodeRange weight_range(int bits, bool narrow_range) {
  CodeRange range = Precision{static_cast<std::uint8_t>(bits), true}.range();
  if (narrow_range && bits > 1) range.min = -range.max;
  return range;
}

/// Eight partial sums, which vectorize.
double squared_error(const float* weights, std::size_t count, double scale, CodeRange range) {
  const auto low = static_cast<double>(range.min), high = static_cast<double>(range.max);
  const double per_unit = 1 / scale;
  constexpr std::size_t kLanes = 8;
  double error[kLanes] = {};
  const auto accumulate = [&](std::size_t i, std::size_t lane) {
    const auto w = static_cast<double>(weights[i]);
    const double d = w - scale * round_half_even(std::min(std::max(w * per_unit, low), high));
    error[lane] += d * d;
  };
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) accumulate(i + lane, lane);
  for (; i < count; ++i) accumulate(i, i % kLanes);
  double total = 0;
  for (const double part : error) total += part;
  return total;
}

}  // namespace

double weight_scale(const float* weights, std::size_t count, int bits,
                    const QuantizationSpec& spec) {
  double largest = 0, sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double magnitude = std::abs(static_cast<double>(weights[i]));
    largest = std::max(largest, magnitude);
    sum += magnitude;
  }
  if (largest == 0) return 0;
  if (bits == 1) return sum / static_cast<double>(count);
  const CodeRange range = weight_range(bits, spec.narrow_range);
  const double widest = largest / static_cast<double>(range.max);
  if (spec.calibration != CalibrationRule::kMse) return widest;
  return least_error_scale(
      widest, range, [&](double scale) { return squared_error(weights, count, scale, range); });
}

WeightCodes encode_weights(const FoldedGemm& gemm, const std::vector<std::uint8_t>& bits,
                           const std::vector<double>& scales, bool narrow_range) {
  WeightCodes codes;
  const bool wide = std::any_of(bits.begin(), bits.end(), [](std::uint8_t b) { return b > 8; });
  if (wide)
    codes.wide.reserve(gemm.weights.size());
  else
    codes.narrow.reserve(gemm.weights.size());
  for (std::size_t c = 0; c < gemm.channels(); ++c) {
    const CodeRange range = weight_range(bits[c], narrow_range);
    for (std::size_t i = 0; i < gemm.per_channel(); ++i) {
      const auto w = static_cast<double>(gemm.weights[c * gemm.per_channel() + i]);
      const std::int64_t code =
          bits[c] == 1 ? (w < 0 ? -1 : 1) : nearest_code(w / scales[c], range);
      if (wide)
        codes.wide.push_back(static_cast<std::int16_t>(code));
      else
        codes.narrow.push_back(static_cast<std::int8_t>(code));
    }
  }
  return codes;
}

std::vector<double> weight_scales(const FoldedGemm& gemm, const std::vector<std::uint8_t>& bits,
                                  double input_scale, const QuantizationSpec& spec, int threads) {
  std::vector<double> scales(gemm.channels());
  parallel_for(threads, static_cast<std::int64_t>(scales.size()), [&](std::int64_t i, int) {
    const auto c = static_cast<std::size_t>(i);
    scales[c] = weight_scale(gemm.weights.data() + c * gemm.per_channel(), gemm.per_channel(),
                             bits[c], spec);
  });
  const double largest = *std::max_element(scales.begin(), scales.end());
  constexpr double kBiasLimit = 1 << 30;
  for (std::size_t c = 0; c < scales.size(); ++c) {
    if (scales[c] == 0) scales[c] = largest > 0 ? largest : 1;
    scales[c] = std::max(scales[c], std::abs(gemm.bias[c]) / (input_scale * kBiasLimit));
  }
  return scales;
}

}  // namespace bitpulse
