// SPDX-License-Identifier: Apache-2.0
#pragma once

// A Verilated array in a shared library of its own: the one symbol that such a library exports, and
// how it is opened.

#include <cstdint>
#include <memory>
#include <string>

#include "sim/rtl/array_model.h"

namespace bitpulse::rtl {

/// Grows with every change of ArrayModel, ArrayShape or ArrayPlugin that old libraries do not know.
inline constexpr std::uint32_t kArrayInterface = 1;

struct ArrayPlugin {
  std::uint32_t interface = kArrayInterface;  // stays first
  ArrayShape shape;
  std::unique_ptr<ArrayModel> (*make)() = nullptr;
};

/// The array of a library, which stays open until the process ends.
///
/// errors  Error(kInvalidInput): no library with such an array, made for another interface, or not
///         of this shape
std::unique_ptr<ArrayModel> load_array(const std::string& library, const ArrayShape& shape);

}  // namespace bitpulse::rtl

// What a library defines.
extern "C" __attribute__((visibility("default"))) const bitpulse::rtl::ArrayPlugin bitpulse_array;
