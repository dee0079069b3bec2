// SPDX-License-Identifier: Apache-2.0
#pragma once

// One vector of those that testbench/rtl/replay/ replays, as text.

#include <cstdint>
#include <string>
#include <vector>

namespace bitpulse::rtl {

/// A vector of fields, the first in the top bits, as $readmemh reads it: whether it follows a
/// reset, the inputs, the outputs.
class Line {
 public:
  explicit Line(bool reset = false) { put(reset, 1); }

  template <class Value>
  void put(Value value, int bits) {
    const auto word = static_cast<std::uint64_t>(value);
    for (int b = bits - 1; b >= 0; --b) bits_.push_back(((word >> b) & 1) != 0);
  }
  /// One field, the first value in its lowest bits.
  template <class Value>
  void put(const std::vector<Value>& values, int bits) {
    for (std::size_t n = values.size(); n-- > 0;) put(values[n], bits);
  }
  void begin_outputs() { inputs_ = bits_.size() - 1; }

  std::size_t inputs() const { return inputs_; }
  std::size_t outputs() const { return bits_.size() - 1 - inputs_; }
  std::string hex() const {
    std::string text;
    unsigned digit = 0;
    for (std::size_t n = 0; n < bits_.size(); ++n) {
      digit = digit * 2 + (bits_[n] ? 1 : 0);
      if ((bits_.size() - n) % 4 == 1) {
        text += "0123456789abcdef"[digit];
        digit = 0;
      }
    }
    return text;
  }

 private:
  std::vector<bool> bits_;
  std::size_t inputs_ = 0;
};

}  // namespace bitpulse::rtl
