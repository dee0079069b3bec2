// SPDX-License-Identifier: Apache-2.0
#pragma once

// The folds of one array command, one by one, in the order of sections 2 and 3: groups, column
// folds, row folds, digit passes innermost.

#include <algorithm>
#include <cstdint>

#include "sim/program.h"

namespace bitpulse {

/// What the array holds at once.
struct Fold {
  std::uint32_t rows = 1;  // used
  std::uint32_t cols = 1;  // used
  std::int64_t stream = 1;
  std::uint32_t pass = 0;  // digit pass (ws, is)
  bool opens_sums = true;  // no earlier fold of the command adds to the same sums
  std::uint64_t row0 = 0;  // first row and column of the extents, and repeat
  std::uint64_t col0 = 0;
  std::uint32_t repeat = 0;
};

/// Calls visit(const Fold&) for every fold of `nest` on an array of spec.rows x spec.cols.
template <class Visit>
void for_each_fold(const FoldNest& nest, const ArraySpec& spec, Visit&& visit) {
  Fold fold;
  fold.stream = static_cast<std::int64_t>(nest.stream);
  for (fold.repeat = 0; fold.repeat < nest.repeats; ++fold.repeat) {
    for (fold.col0 = 0; fold.col0 < nest.cols_extent; fold.col0 += spec.cols) {
      fold.cols = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(spec.cols, nest.cols_extent - fold.col0));
      for (fold.row0 = 0; fold.row0 < nest.rows_extent; fold.row0 += spec.rows) {
        fold.rows = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(spec.rows, nest.rows_extent - fold.row0));
        for (fold.pass = 0; fold.pass < nest.passes; ++fold.pass) {
          fold.opens_sums = spec.dataflow == Dataflow::kOs || (fold.row0 == 0 && fold.pass == 0);
          visit(static_cast<const Fold&>(fold));
        }
      }
    }
  }
}

}  // namespace bitpulse
