// SPDX-License-Identifier: Apache-2.0
#pragma once

// From an array command with its operands to the folds that the driver executes: operands cut into
// digits, lanes packed into port words, roles exchanged for `is` (sim/README.md, sections 2 and 3).

#include <vector>

#include "sim/rtl/array_driver.h"
#include "sim/systemc/array_backend.h"

namespace bitpulse::rtl {

/// A fold of a command, and where its sums go.
struct PackedFold {
  Fold fold;
  std::int64_t group = 0;           // within the tile
  std::int64_t row0 = 0, col0 = 0;  // first of the extents: os m and n, ws k and n, is k and m
  int shift = 0;                    // of its sums, at accumulator memory
};

/// The folds of `job` in the order of its FoldNest.
std::vector<PackedFold> pack_folds(const ArrayJob& job, const ArraySpec& spec,
                                   const ArrayShape& shape);

}  // namespace bitpulse::rtl
