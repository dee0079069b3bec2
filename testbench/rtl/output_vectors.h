// SPDX-License-Identifier: Apache-2.0
#pragma once

// Vectors of the accumulator bank and the requantizer: random inputs, with what plain C++ makes of
// them.

#include <cstddef>
#include <vector>

#include "testbench/rtl/vector_line.h"

namespace bitpulse::rtl {

std::vector<Line> acc_bank_lines(std::size_t cols, int cycles);
std::vector<Line> requantizer_lines(std::size_t lanes, int cycles);

}  // namespace bitpulse::rtl
