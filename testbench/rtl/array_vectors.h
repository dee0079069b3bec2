// SPDX-License-Identifier: Apache-2.0
#pragma once

// Vectors of MACs, PEs and arrays: random inputs, with what reference_array.h makes of them.

#include <vector>

#include "sim/rtl/array_model.h"
#include "testbench/rtl/vector_line.h"

namespace bitpulse::rtl {

std::vector<Line> mac_lines(const ArrayShape& shape, int steps);

/// Every pair of operands of a fixed MAC under every signedness.
std::vector<Line> pair_lines(const ArrayShape& shape);

std::vector<Line> pe_lines(const ArrayShape& shape, int overflow_width);
std::vector<Line> array_lines(const ArrayShape& shape, int overflow_width, int most_count);

}  // namespace bitpulse::rtl
