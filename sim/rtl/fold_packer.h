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
};

/// Where a tile's sums stand in the Verilated accumulator memory (accumulator_memory.h): a word per
/// streamed line (os: row) and array column, column folds behind one another, groups behind these,
/// from the command's acc_offset on. A tile has at least as many sums as words, so that tiles that
/// share none in the program share none here.
struct SumPlaces {
  SumPlaces(std::uint64_t acc_offset, const GemmTile& tile, const ArraySpec& spec);
  std::uint32_t base = 0;
  std::int64_t lines = 1;    // of a column fold
  std::int64_t columns = 1;  // extent that the array's columns hold
  std::int64_t cols = 1;     // of the array
  bool columns_are_pixels = false;

  /// Word of line 0 of a column fold.
  std::uint32_t word(std::int64_t group, std::int64_t col0) const {
    return base + static_cast<std::uint32_t>((group * ((columns + cols - 1) / cols) + col0 / cols) *
                                             lines);
  }
};

/// The folds of `job` in the order of its FoldNest.
std::vector<PackedFold> pack_folds(const ArrayJob& job, const ArraySpec& spec,
                                   const ArrayShape& shape);

}  // namespace bitpulse::rtl
