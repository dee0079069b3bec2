// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "models/units.h"
#include "quant/integer/parallel.h"
#include "quant/methods/rounding.h"
#include "quant/methods/scale_search.h"

namespace bitpulse {

void Histogram::add(const float* values, std::size_t count, int threads) {
  constexpr std::int64_t kBlock = 1 << 18;
  constexpr float kLastBin = kBins - 1;
  const std::int64_t blocks = ceil_div(static_cast<std::int64_t>(count), kBlock);
  const auto block = [&](std::int64_t i) {
    const auto begin = static_cast<std::size_t>(i * kBlock);
    return std::make_pair(begin, std::min(count, begin + static_cast<std::size_t>(kBlock)));
  };
  std::vector<std::pair<float, float>> ranges(static_cast<std::size_t>(blocks));
  parallel_for(threads, blocks, [&](std::int64_t i, int) {
    float low = 0, high = 0;
    for (auto [v, end] = block(i); v < end; ++v) {
      low = std::min(low, values[v]);
      high = std::max(high, values[v]);
    }
    ranges[static_cast<std::size_t>(i)] = {low, high};
  });
  for (const auto& [low, high] : ranges) {
    largest_positive_ = std::max(largest_positive_, static_cast<double>(high));
    largest_negative_ = std::max(largest_negative_, -static_cast<double>(low));
  }
  count_ += count;
  widen(std::max(largest_positive_, largest_negative_));
  if (limit_ == 0) return;

  std::vector<Counts> partial(static_cast<std::size_t>(blocks));
  const auto bins_per_unit =
      static_cast<float>(std::min<double>(1 / bin_width(), std::numeric_limits<float>::max()));
  parallel_for(threads, blocks, [&](std::int64_t i, int) {
    Counts& counts = partial[static_cast<std::size_t>(i)];
    counts.assign(2 * kBins, 0);
    for (auto [v, end] = block(i); v < end; ++v) {
      if (values[v] == 0) continue;  // exact at any scale
      const auto bin = static_cast<int>(
          std::min(kLastBin, std::abs(values[v]) * bins_per_unit));  // infinity, NaN: last
      ++counts[static_cast<std::size_t>(values[v] > 0 ? bin : kBins + bin)];
    }
  });
  for (const Counts& counts : partial)
    for (std::size_t i = 0; i < counts.size(); ++i) counts_[i] += counts[i];
}

void Histogram::widen(double magnitude) {
  if (magnitude <= limit_ || !std::isfinite(magnitude)) return;
  if (limit_ == 0) {
    limit_ = std::exp2(std::ceil(std::log2(magnitude)));
    counts_.assign(2 * kBins, 0);
  }
  for (; limit_ < magnitude; limit_ *= 2)
    for (std::size_t sign = 0; sign < 2; ++sign) {
      std::uint64_t* bins = counts_.data() + sign * kBins;
      for (int i = 0; i < kBins / 2; ++i) bins[i] = bins[2 * i] + bins[2 * i + 1];
      std::fill(bins + kBins / 2, bins + kBins, 0);
    }
}

double Histogram::percentile(double percent) const {
  const double largest = std::max(largest_positive_, largest_negative_);
  if (limit_ == 0) return largest;
  const double allowed = static_cast<double>(count_) * (1 - percent / 100);
  double above = 0;
  for (int i = kBins; i-- > 0;) {
    const auto bin = static_cast<std::size_t>(i);
    above += static_cast<double>(counts_[bin] + counts_[kBins + bin]);
    if (above > allowed) return std::min(largest, (i + 1) * bin_width());
  }
  return largest;
}

double Histogram::squared_error(double scale, CodeRange range) const {
  double error = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    const double magnitude = (static_cast<double>(i % kBins) + 0.5) * bin_width();
    const double value = i < kBins ? magnitude : -magnitude;
    const double d = value - scale * static_cast<double>(nearest_code(value / scale, range));
    error += static_cast<double>(counts_[i]) * d * d;
  }
  return error;
}

double choose_scale(const Histogram& histogram, CodeRange range, const QuantizationSpec& spec) {
  double positive = histogram.largest_positive(), negative = histogram.largest_negative();
  const bool narrow = range.max < 32767;
  if (narrow && spec.calibration == CalibrationRule::kPercentile) {
    const double limit = histogram.percentile(spec.percentile);
    if (limit > 0) positive = std::min(positive, limit), negative = std::min(negative, limit);
  }
  // The smallest scale at which neither end of the range clips.
  double scale = positive / static_cast<double>(range.max);
  if (range.min < 0) scale = std::max(scale, negative / -static_cast<double>(range.min));
  if (!(scale > 0)) return 1;
  if (!narrow || spec.calibration != CalibrationRule::kMse) return scale;
  return least_error_scale(
      scale, range, [&](double candidate) { return histogram.squared_error(candidate, range); });
}

}  // namespace bitpulse
