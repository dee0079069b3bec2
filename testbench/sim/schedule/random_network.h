// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small integer networks and machines that hurt: one row, one column, tiles that do not divide,
// strides, dilation, padding, groups, kernel-wise widths, residual adds, concat slices,
// space-to-depth, several stores. Structure only; the same seed gives the same network.

#include <cstdint>
#include <random>

#include "quant/integer/integer_network.h"
#include "sim/machine.h"

namespace bitpulse {

class RandomSource {
 public:
  explicit RandomSource(std::uint64_t seed) : engine_(seed) {}
  /// Uniform in min..max, the same on every platform.
  std::int64_t number(std::int64_t min, std::int64_t max) {
    const auto span = static_cast<std::uint64_t>(max - min) + 1;
    return min + static_cast<std::int64_t>(engine_() % span);
  }
  bool one_in(std::int64_t n) { return number(1, n) == 1; }
  template <class T>
  T pick(std::initializer_list<T> values) {
    return *(values.begin() + number(0, static_cast<std::int64_t>(values.size()) - 1));
  }

 private:
  std::mt19937_64 engine_;
};

/// Arrays 1x1 to 40x40, all dataflows and PEs, tiny to ample buffers, `fixed` memory; half of them
/// keep tensors on chip.
Machine random_machine(RandomSource& random);

/// One layer of any kind (or two that share a concat) with its tensors.
IntegerNetwork random_network(RandomSource& random);

}  // namespace bitpulse
