// SPDX-License-Identifier: Apache-2.0
#pragma once

// Random numbers that are a function of a key, not of a state: an image of a set, or a step of a
// resumed training, draws the same ones without those before it. SplitMix64 (Steele, Lea, Flood,
// OOPSLA 2014).

#include <cstdint>
#include <initializer_list>

namespace bitpulse {

inline std::uint64_t mix_bits(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

/// A stream of its own for every list of keys.
class RandomStream {
 public:
  RandomStream(std::initializer_list<std::uint64_t> keys) {
    for (const std::uint64_t key : keys) state_ = mix_bits(state_ ^ key);
  }

  std::uint64_t bits() { return mix_bits(state_ + counter_++); }

  /// Uniform in 0..below-1, below >= 1; what bias there is stays under below / 2^64.
  std::int64_t integer(std::int64_t below) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::int64_t>((Wide{bits()} * static_cast<std::uint64_t>(below)) >> 64);
  }

  /// Mean 0, deviation 1: the sum of twelve uniforms less its mean, the same on every machine.
  double normal() {
    std::int64_t sum = 0;
    for (int word = 0; word < 3; ++word) {
      const std::uint64_t drawn = bits();
      for (int part = 0; part < 4; ++part)
        sum += static_cast<std::int64_t>(drawn >> (16 * part) & 0xffff);
    }
    return static_cast<double>(2 * sum - 12 * 65535) / (2 * 65536.0);
  }

 private:
  std::uint64_t state_ = 0;
  std::uint64_t counter_ = 0;
};

}  // namespace bitpulse
