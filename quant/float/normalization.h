// SPDX-License-Identifier: Apache-2.0
#pragma once

// From image bytes to the real input of a network: (v * scale - mean[c]) / std[c].

#include <cstdint>

#include "models/workload.h"

namespace bitpulse {

/// Real value of byte `v` in channel `c`. Without data, mean 0.5 and deviation 0.25.
inline double normalized(const DataSpec& data, std::int64_t c, int v) {
  const auto i = static_cast<std::size_t>(c);
  const double mean = data.mean.empty() ? 0.5 : data.mean[i];
  const double std_dev = data.std_dev.empty() ? 0.25 : data.std_dev[i];
  return (v * data.scale - mean) / std_dev;
}

/// errors  kInvalidInput where the data does not give one mean and deviation per channel
void check_normalization(const DataSpec& data, std::int64_t channels);

/// True where some byte of some channel becomes a negative number.
bool can_be_negative(const DataSpec& data, std::int64_t channels);

}  // namespace bitpulse
