// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/hawq.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

namespace bitpulse {

namespace {

constexpr float kLeast = 1e-8f;

/// From 0, of the place that `percent` of the values do not pass.
std::size_t place(std::size_t count, double percent) {
  const double at = std::ceil(static_cast<double>(count) * percent / 100);
  return std::min(count, std::max<std::size_t>(static_cast<std::size_t>(at), 1)) - 1;
}

float largest_code(Precision precision) { return static_cast<float>(precision.range().max); }

}  // namespace

ValueRange hawq_batch_range(const float* values, std::size_t count, double percentile) {
  assert(count > 0);
  if (percentile >= 100) {
    const auto [low, high] = std::minmax_element(values, values + count);
    return {*low, *high};
  }
  std::vector<float> sorted(values, values + count);
  const auto at = [&](double percent) {
    const auto nth = sorted.begin() + static_cast<std::ptrdiff_t>(place(count, percent));
    std::nth_element(sorted.begin(), nth, sorted.end());
    return *nth;
  };
  return {at(100 - percentile), at(percentile)};
}

ValueRange hawq_next_range(ValueRange range, ValueRange batch, const HawqSpec& spec) {
  if (range.min == range.max) return batch;
  if (spec.range == HawqRange::kExtremes)
    return {std::min(range.min, batch.min), std::max(range.max, batch.max)};
  const auto stays = static_cast<float>(spec.momentum),
             comes = static_cast<float>(1 - spec.momentum);
  return {range.min * stays + batch.min * comes, range.max * stays + batch.max * comes};
}

float hawq_activation_scale(ValueRange range, Precision precision) {
  const float width = precision.is_signed ? std::max(std::abs(range.min), std::abs(range.max))
                                          : range.max - range.min;
  return std::max(width, kLeast) / largest_code(precision);
}

float hawq_weight_scale(const float* weights, std::size_t count, int bits) {
  assert(bits >= 2);
  float largest = kLeast;
  for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(weights[i]));
  return largest / largest_code({static_cast<std::uint8_t>(bits), true});
}

}  // namespace bitpulse
