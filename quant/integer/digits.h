// SPDX-License-Identifier: Apache-2.0
#pragma once

// Digits of operands on processing elements narrower than they are (AccumulationOrder): shared by
// the halves of kernels.h.

#include <algorithm>
#include <cstdint>

#include "quant/integer/kernels.h"

namespace bitpulse::detail {

/// Values of digit `digit` of `digits` of a code in `whole`: only the top digit is signed.
inline CodeRange digit_range(CodeRange whole, int digit, int digits, int digit_bits) {
  if (digits == 1) return whole;
  if (digit + 1 < digits) return {0, (std::int64_t{1} << digit_bits) - 1};
  return {whole.min >> (digit * digit_bits), whole.max >> (digit * digit_bits)};
}

inline int digit_of(int code, int digit, int digits, int digit_bits) {
  if (digits == 1) return code;
  const int shifted = code >> (digit * digit_bits);
  return digit + 1 < digits ? shifted & ((1 << digit_bits) - 1) : shifted;
}

/// Largest magnitude of the sum of one K' element's products.
inline std::int64_t element_bound(const GemmSpec& spec) {
  const AccumulationOrder& o = spec.order;
  std::int64_t largest = 0;
  const CodeRange act = spec.act.range();
  const CodeRange weight = Precision{static_cast<std::uint8_t>(spec.weight_bits), true}.range();
  for (int d = 0; d < o.act_digits; ++d) {
    const CodeRange x = digit_range(act, d, o.act_digits, o.digit_bits);
    for (int e = 0; e < o.weight_digits; ++e) {
      const CodeRange w = digit_range(weight, e, o.weight_digits, o.digit_bits);
      largest = std::max(largest, std::max(-x.min, x.max) * std::max(-w.min, w.max));
    }
  }
  return largest * std::min(o.lanes, spec.cin);
}

}  // namespace bitpulse::detail
