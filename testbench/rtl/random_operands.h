// SPDX-License-Identifier: Apache-2.0
#pragma once

// Random inputs of the circuits, those more often that are likely to show a fault.

#include <cstdint>
#include <random>

#include "sim/rtl/ports.h"
#include "testbench/rtl/fold_lists.h"
#include "testbench/rtl/reference_array.h"

namespace bitpulse::rtl {

inline bool chance(std::mt19937& random, int of) { return reference::pick(random, 0, of - 1) == 0; }

inline AccFormat pick_acc_format(std::mt19937& random) {
  const int narrow = reference::pick(random, 2, 12), any = reference::pick(random, 2, 32);
  const int bits[] = {narrow, any, 32};
  return {chance(random, 2), bits[reference::pick(random, 0, 2)]};
}

/// Also for fixed PEs, which hand the width on.
inline Format pick_any_format(std::mt19937& random) {
  constexpr int kWidths[] = {2, 4, 8};
  return {chance(random, 2), kWidths[reference::pick(random, 0, 2)]};
}

/// A format, or control that ends in one, as a port takes it: 8 bits have a second code.
template <class Control>
std::uint32_t pack(const Control& control, const Format& format, bool second_code) {
  return control.pack() | (second_code && format.bits == 8 ? 1u : 0u);
}

inline int pick_shift(std::mt19937& random) {
  return chance(random, 2) ? 0 : reference::pick(random, 0, 31);
}

/// 0, any, all but the lowest ones: what makes carries run.
inline std::uint32_t pick_count(std::mt19937& random) {
  switch (reference::pick(random, 0, 3)) {
    case 0:
      return 0;
    case 1:
      return static_cast<std::uint32_t>(random());
    default:
      return ((2u << reference::pick(random, 0, 31)) - 1) -
             static_cast<std::uint32_t>(reference::pick(random, 0, 2));
  }
}

/// A sum to which `term` is added: any, one of the format, or one that leads to a limit of it.
inline std::int32_t pick_psum(std::mt19937& random, std::int64_t term, AccFormat format) {
  const auto any = static_cast<std::int32_t>(random());
  const std::int64_t limit = std::int64_t{1} << (format.bits - 1);
  const std::int64_t target = (chance(random, 2) ? limit : -limit) + reference::pick(random, -2, 1);
  switch (reference::pick(random, 0, 3)) {
    case 0:
      return any;
    case 1:
      return static_cast<std::int32_t>(target - term);
    default:
      return static_cast<std::int32_t>(reference::fit(any, {false, format.bits}).value);
  }
}

}  // namespace bitpulse::rtl
