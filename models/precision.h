// SPDX-License-Identifier: Apache-2.0
#pragma once

// How an integer tensor is coded: width, signedness, and the tie rule of roundings.

#include <cstdint>

namespace bitpulse {

/// Closed range of integer codes.
struct CodeRange {
  std::int64_t min = 0;
  std::int64_t max = 0;
  friend constexpr bool operator==(CodeRange a, CodeRange b) {
    return a.min == b.min && a.max == b.max;
  }
};

/// Width in bits (1..32) and signedness of a code. 1 bit signed is the binary {-1, +1}.
struct Precision {
  std::uint8_t bits = 8;
  bool is_signed = true;

  constexpr CodeRange range() const {
    if (is_signed && bits == 1) return {-1, 1};
    return is_signed
               ? CodeRange{-(std::int64_t{1} << (bits - 1)), (std::int64_t{1} << (bits - 1)) - 1}
               : CodeRange{0, (std::int64_t{1} << bits) - 1};
  }
  friend constexpr bool operator==(Precision a, Precision b) {
    return a.bits == b.bits && a.is_signed == b.is_signed;
  }
  friend constexpr bool operator!=(Precision a, Precision b) { return !(a == b); }
};

/// Tie rule of a requantization: half up adds half and floors (arithmetic shift), half even is
/// the rule of IEEE 754 and PyTorch, half away rounds ties away from zero.
enum class Rounding : std::uint8_t { kHalfUp, kHalfEven, kHalfAway };

}  // namespace bitpulse
