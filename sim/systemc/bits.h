// SPDX-License-Identifier: Apache-2.0
#pragma once

// Codes in packed bits, little endian: code i occupies bits [i * width, (i + 1) * width), bit 0 of
// a byte first. Binary codes {-1, +1} take one bit, 1 for +1. Memories keep kBitSlack readable
// bytes beyond their last one, because codes are read through 64-bit windows. The host is little
// endian.

#include <cstdint>
#include <cstring>

#include "models/precision.h"

namespace bitpulse {

inline constexpr std::size_t kBitSlack = 32;

constexpr std::uint64_t bytes_of_bits(std::uint64_t bits) { return (bits + 7) / 8; }

/// Copies `count` bits; neighbours of the destination's bits keep their value.
inline void copy_bits(std::uint8_t* to, std::uint64_t to_bit, const std::uint8_t* from,
                      std::uint64_t from_bit, std::uint64_t count) {
  if (to_bit % 8 == 0 && from_bit % 8 == 0) {
    std::memcpy(to + to_bit / 8, from + from_bit / 8, count / 8);
    to_bit += count & ~std::uint64_t{7};
    from_bit += count & ~std::uint64_t{7};
    count %= 8;
  }
  while (count > 0) {  // up to the next byte of the destination
    const std::uint64_t offset = to_bit % 8;
    const std::uint64_t n = count < 8 - offset ? count : 8 - offset;
    std::uint16_t window = from[from_bit / 8];
    if (from_bit % 8 + n > 8) {
      window = static_cast<std::uint16_t>(window | from[from_bit / 8 + 1] << 8);
    }
    const unsigned mask = ((1U << n) - 1U) << offset;
    const unsigned bits = (static_cast<unsigned>(window) >> (from_bit % 8)) << offset;
    std::uint8_t& byte = to[to_bit / 8];
    byte = static_cast<std::uint8_t>((byte & ~mask) | (bits & mask));
    to_bit += n;
    from_bit += n;
    count -= n;
  }
}

/// Reads `count` codes of `precision` from `bit` on, adds `bias` to each.
template <class T>
void unpack_codes(const std::uint8_t* __restrict bytes, std::uint64_t bit, Precision precision,
                  std::int64_t count, T* __restrict codes, int bias = 0) {
  const unsigned width = precision.bits;
  if (width == 8 && bit % 8 == 0) {
    const std::uint8_t* from = bytes + bit / 8;
    if (precision.is_signed) {
      for (std::int64_t i = 0; i < count; ++i) {
        codes[i] = static_cast<T>(static_cast<std::int8_t>(from[i]) + bias);
      }
    } else {
      for (std::int64_t i = 0; i < count; ++i) codes[i] = static_cast<T>(from[i] + bias);
    }
    return;
  }
  if (width == 16 && bit % 8 == 0) {
    const std::uint8_t* from = bytes + bit / 8;
    for (std::int64_t i = 0; i < count; ++i) {
      std::uint16_t code;
      std::memcpy(&code, from + 2 * i, sizeof code);
      codes[i] = static_cast<T>(
          (precision.is_signed ? static_cast<std::int16_t>(code) : std::int32_t{code}) + bias);
    }
    return;
  }
  const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
  const std::int64_t sign =
      precision.is_signed && width > 1 ? std::int64_t{1} << (width - 1) : std::int64_t{0};
  const bool binary = precision.is_signed && width == 1;
  for (std::int64_t i = 0; i < count; ++i, bit += width) {
    std::uint64_t window;
    std::memcpy(&window, bytes + bit / 8, sizeof window);
    auto code = static_cast<std::int64_t>((window >> (bit % 8)) & mask);
    code = binary ? 2 * code - 1 : (code ^ sign) - sign;
    codes[i] = static_cast<T>(code + bias);
  }
}

/// Writes the low bits of `count` codes from `bit` on; neighbouring bits keep their value.
template <class T>
void pack_codes(const T* __restrict codes, std::int64_t count, Precision precision,
                std::uint8_t* __restrict bytes, std::uint64_t bit) {
  const unsigned width = precision.bits;
  if (width == 8 && bit % 8 == 0) {
    std::uint8_t* to = bytes + bit / 8;
    for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<std::uint8_t>(codes[i]);
    return;
  }
  if (width == 16 && bit % 8 == 0) {
    std::uint8_t* to = bytes + bit / 8;
    for (std::int64_t i = 0; i < count; ++i) {
      const auto code = static_cast<std::uint16_t>(static_cast<std::int32_t>(codes[i]));
      std::memcpy(to + 2 * i, &code, sizeof code);
    }
    return;
  }
  const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
  const bool binary = precision.is_signed && width == 1;
  for (std::int64_t i = 0; i < count; ++i, bit += width) {
    const std::uint64_t code =
        binary ? std::uint64_t{codes[i] > 0} : static_cast<std::uint64_t>(codes[i]) & mask;
    std::uint64_t window;
    std::memcpy(&window, bytes + bit / 8, sizeof window);
    window = (window & ~(mask << (bit % 8))) | code << (bit % 8);
    std::memcpy(bytes + bit / 8, &window, sizeof window);
  }
}

}  // namespace bitpulse
