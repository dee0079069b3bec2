// SPDX-License-Identifier: Apache-2.0
#pragma once

// The requantizer's lanes in plain C++, register by register, with the rounding of
// quant/integer/requantize.h: what rtl/vector/requantizer.sv must do.

#include <cstdint>
#include <limits>
#include <vector>

#include "quant/integer/requantize.h"
#include "sim/rtl/ports.h"

namespace bitpulse::rtl::reference {

constexpr CodeRange kInt32{std::numeric_limits<std::int32_t>::min(),
                           std::numeric_limits<std::int32_t>::max()};

/// Operands of a lane.
struct LaneInputs {
  std::int32_t value = 0, addend = 0, m = 0, m_negative = 0, shift = 0, other = 0, other_m = 0,
               other_shift = 0;
};

class Requantizer {
 public:
  explicit Requantizer(std::size_t lanes) : codes(lanes), kept_(lanes) {}

  /// One rising edge.
  void step(LaneCtrl ctrl, CodeRange clamp_to, const std::vector<LaneInputs>& inputs) {
    valid = ctrl_.valid && ctrl_.emit;
    if (ctrl_.valid) {
      saturated = clamped = above = below = 0;
      for (std::size_t l = 0; l < codes.size(); ++l) codes[l] = pass(inputs_[l], kept_[l]);
    }
    ctrl_ = ctrl;
    if (!ctrl.valid) return;
    inputs_ = inputs;
    clamp_ = clamp_to;
  }

  // After the edge.
  bool valid = false;
  std::vector<std::int32_t> codes;
  std::uint32_t saturated = 0, clamped = 0, above = 0, below = 0;

 private:
  std::int32_t pass(const LaneInputs& in, std::int32_t& kept) {
    const std::int64_t value = ctrl_.feedback ? kept : in.value;
    std::int64_t operand = value > in.addend ? value : in.addend;
    if (!ctrl_.maximum) {
      operand = clamp(value + in.addend, kInt32);
      saturated += operand != value + in.addend;
    }
    above += operand > 32767;
    below += operand < -32768;
    std::int64_t term = operand * in.m;
    if (ctrl_.leaky && term < 0) term = operand * in.m_negative;
    const std::int64_t other = std::int64_t{in.other} * in.other_m;
    if (ctrl_.low_bit) term += other;
    const std::int64_t rounded = round_shift(term, in.shift, ctrl_.rounding);
    std::int64_t result = clamp(rounded, clamp_);
    clamped += result != rounded;
    if (ctrl_.branch) {
      const std::int64_t of_other = round_shift(other, in.other_shift, ctrl_.rounding);
      const std::int64_t clipped = clamp(of_other, {-32768, 32767});
      clamped += clipped != of_other;
      result += clipped;
    }
    // A result of 33 bits, of a clamp to 32, wraps.
    const auto code = static_cast<std::int32_t>(static_cast<std::uint32_t>(result));
    if (ctrl_.keep == Keep::kOperand) kept = static_cast<std::int32_t>(operand);
    if (ctrl_.keep == Keep::kResult) kept = code;
    return code;
  }

  LaneCtrl ctrl_;
  CodeRange clamp_;
  std::vector<LaneInputs> inputs_;
  std::vector<std::int32_t> kept_;
};

}  // namespace bitpulse::rtl::reference
