// SPDX-License-Identifier: Apache-2.0
#pragma once

// Magnitudes of a stream of real values, counted in bins of both signs. The range doubles as
// larger values arrive (neighbouring bins merge), so that one pass suffices and memory is bounded.

#include <array>
#include <cstdint>
#include <vector>

#include "models/workload.h"

namespace bitpulse {

class Histogram {
 public:
  static constexpr int kBins = 4096;  // per sign; at least half of them cover the data

  /// Adds activation-free values.
  ///
  /// errors  none; a value that is not finite makes the largest magnitude not finite
  void add(const float* values, std::size_t count, int threads);

  double largest_positive() const { return largest_positive_; }
  double largest_negative() const { return largest_negative_; }  // as a magnitude

  /// Smallest magnitude that at least `percent` of the values do not exceed.
  double percentile(double percent) const;

  /// Sum of squared differences between the values and their nearest codes.
  double squared_error(double scale, CodeRange range) const;

 private:
  using Counts = std::vector<std::uint64_t>;  // kBins positive, then kBins negative
  void widen(double magnitude);
  double bin_width() const { return limit_ / kBins; }

  double limit_ = 0;  // a power of two
  double largest_positive_ = 0, largest_negative_ = 0;
  std::uint64_t count_ = 0;  // zeros included
  Counts counts_;
};

/// The scale of codes of `range` by the workload's rule; codes of 16 bits always take min/max. A
/// tensor of zeros gets scale 1.
double choose_scale(const Histogram& histogram, CodeRange range, const QuantizationSpec& spec);

}  // namespace bitpulse
