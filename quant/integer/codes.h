// SPDX-License-Identifier: Apache-2.0
#pragma once

// Codes in the narrowest type that holds their precision: the working storage of the executor.

#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "models/precision.h"

namespace bitpulse {

using CodeArray =
    std::variant<std::vector<std::uint8_t>, std::vector<std::int8_t>, std::vector<std::uint16_t>,
                 std::vector<std::int16_t>, std::vector<std::int32_t>>;

/// `count` zero codes. Precision: unsigned up to 16 bits, signed up to 32.
inline CodeArray make_codes(Precision precision, std::size_t count) {
  if (precision.bits <= 8 && !precision.is_signed) return std::vector<std::uint8_t>(count);
  if (precision.bits <= 8) return std::vector<std::int8_t>(count);
  if (precision.bits <= 16 && !precision.is_signed) return std::vector<std::uint16_t>(count);
  if (precision.bits <= 16) return std::vector<std::int16_t>(count);
  return std::vector<std::int32_t>(count);
}

}  // namespace bitpulse
