// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counts that know what they count. A quantity adds to and compares with its own kind only, so
// that adding cycles to bits does not compile.

#include <cstdint>

namespace bitpulse {

template <class Tag, class Rep>
struct Quantity {
  Rep value{};
  constexpr Quantity() = default;
  constexpr explicit Quantity(Rep v) : value(v) {}
  constexpr Quantity& operator+=(Quantity o) {
    value += o.value;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return a += b; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    return Quantity(a.value - b.value);
  }
  friend constexpr bool operator==(Quantity a, Quantity b) { return a.value == b.value; }
  friend constexpr bool operator!=(Quantity a, Quantity b) { return a.value != b.value; }
  friend constexpr bool operator<(Quantity a, Quantity b) { return a.value < b.value; }
  friend constexpr bool operator>(Quantity a, Quantity b) { return b < a; }
  friend constexpr bool operator<=(Quantity a, Quantity b) { return !(b < a); }
  friend constexpr bool operator>=(Quantity a, Quantity b) { return !(a < b); }
};

using Cycles = Quantity<struct CyclesTag, std::uint64_t>;
using Bits = Quantity<struct BitsTag, std::uint64_t>;
using Bytes = Quantity<struct BytesTag, std::uint64_t>;
using Picojoules = Quantity<struct PicojoulesTag, double>;
using SquareMicrons = Quantity<struct SquareMicronsTag, double>;

/// Bits rounded up to whole bytes.
constexpr Bytes to_bytes(Bits b) { return Bytes((b.value + 7) / 8); }

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// A count, which is not negative, as the unsigned number that it is stored as.
constexpr std::uint64_t u64(std::int64_t count) { return static_cast<std::uint64_t>(count); }

}  // namespace bitpulse
