// SPDX-License-Identifier: Apache-2.0
#pragma once

// The packed structs of rtl/bitpulse_types.svh as the integers that Verilated ports take: first
// member in the top bits.

#include <cstdint>

#include "models/precision.h"

namespace bitpulse::rtl {

/// log2 of the number of 2-bit digits of an operand of 2, 4 or 8 bits.
constexpr std::uint32_t width_code(int bits) { return bits == 8 ? 2 : bits == 4 ? 1 : 0; }

struct Format {
  bool is_signed = false;
  int bits = 8;  // 2, 4 or 8
  constexpr std::uint32_t pack() const {
    return (static_cast<std::uint32_t>(is_signed) << 2) | width_code(bits);
  }
  friend constexpr bool operator==(Format a, Format b) {
    return a.is_signed == b.is_signed && a.bits == b.bits;
  }
};

struct AccFormat {
  bool saturate = false;
  int bits = 32;  // 2..32
  constexpr std::uint32_t pack() const {
    return (static_cast<std::uint32_t>(saturate) << 6) | static_cast<std::uint32_t>(bits);
  }
};

struct ActCtrl {
  bool valid = false;
  bool first = false;
  int shift = 0;  // 0..31
  Format format;
  constexpr std::uint32_t pack() const {
    return (static_cast<std::uint32_t>(valid) << 9) | (static_cast<std::uint32_t>(first) << 8) |
           (static_cast<std::uint32_t>(shift) << 3) | format.pack();
  }
};

struct WeightCtrl {
  bool valid = false;
  int count = 0;  // 0..1023
  Format format;
  constexpr std::uint32_t pack() const {
    return (static_cast<std::uint32_t>(valid) << 13) | (static_cast<std::uint32_t>(count) << 3) |
           format.pack();
  }
};

struct AccCtrl {
  bool valid = false;
  bool accumulate = false;
  int shift = 0;  // 0..31
  int count = 0;  // 0..1023
  std::uint32_t addr = 0;
  constexpr std::uint32_t pack() const {
    return (static_cast<std::uint32_t>(valid) << 31) |
           (static_cast<std::uint32_t>(accumulate) << 30) |
           (static_cast<std::uint32_t>(shift) << 25) | (static_cast<std::uint32_t>(count) << 15) |
           addr;
  }
};

/// What a lane of the requantizer keeps of a pass.
enum class Keep : std::uint8_t { kOld, kOperand, kResult };

struct LaneCtrl {
  bool valid = false;
  bool emit = false;
  bool feedback = false;
  bool maximum = false;
  bool leaky = false;
  Rounding rounding = Rounding::kHalfUp;
  bool low_bit = false;
  bool branch = false;
  Keep keep = Keep::kOld;
  constexpr std::uint32_t pack() const {
    return (static_cast<std::uint32_t>(valid) << 10) | (static_cast<std::uint32_t>(emit) << 9) |
           (static_cast<std::uint32_t>(feedback) << 8) |
           (static_cast<std::uint32_t>(maximum) << 7) | (static_cast<std::uint32_t>(leaky) << 6) |
           (static_cast<std::uint32_t>(rounding) << 4) |
           (static_cast<std::uint32_t>(low_bit) << 3) | (static_cast<std::uint32_t>(branch) << 2) |
           static_cast<std::uint32_t>(keep);
  }
};

}  // namespace bitpulse::rtl
