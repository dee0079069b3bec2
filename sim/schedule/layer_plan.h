// SPDX-License-Identifier: Apache-2.0
#pragma once

// The tile-independent columns of a layer's report row (section 9): GEMM sizes, folds, and the
// closed forms of the untiled GEMM on this array and on SCALE-Sim's.

#include <algorithm>
#include <cstdint>

#include "sim/program.h"
#include "sim/schedule/layer_shape.h"

namespace bitpulse {

/// Everything but `layer`, `tiling` and the orders' segments.
LayerPlan make_plan(const IntegerLayer& layer, const LayerShape& shape, const ArraySpec& array);

/// The fold nest of `repeats` GEMMs of m x k x n (k in K'; section 3's mapping).
inline FoldNest fold_nest(const ArraySpec& array, const PeMode& mode, std::int64_t repeats,
                          std::int64_t m, std::int64_t k, std::int64_t n) {
  const auto passes = static_cast<std::uint32_t>(mode.passes());
  const auto um = static_cast<std::uint64_t>(m), uk = static_cast<std::uint64_t>(k),
             un = static_cast<std::uint64_t>(n);
  const auto count = static_cast<std::uint32_t>(repeats);
  switch (array.dataflow) {
    case Dataflow::kWs:
      return {count, passes, uk, un, um};
    case Dataflow::kIs:
      return {count, passes, uk, um, un};
    case Dataflow::kOs:
      break;
  }
  return {count, 1, um, un, uk * passes};
}

std::uint64_t fold_count(const FoldNest& nest, const ArraySpec& array);

/// Section 4's serial cost of a nest, fold after fold: r + T + R + c - 2 each.
std::uint64_t serial_cycles(const FoldNest& nest, const ArraySpec& array);

/// Whether `later` (after `earlier` in the array queue) finishes last whatever happens, by section
/// 4's intervals: every fold of `later` streams after the last of `earlier`.
inline bool finishes_after(const ArraySpec& array, const FoldNest& earlier, const FoldNest& later) {
  const auto reach = [&](const FoldNest& nest) {
    const std::uint64_t cols = std::min<std::uint64_t>(array.cols, nest.cols_extent);
    if (array.dataflow != Dataflow::kOs) return cols;
    return cols + std::min<std::uint64_t>(array.rows, nest.rows_extent);
  };
  return later.stream + reach(later) >= reach(earlier);
}

/// SCALE-Sim's count for one GEMM: folds * P - 1, every fold at full R and C (section 9).
std::uint64_t scalesim_cycles(const ArraySpec& array, std::int64_t m, std::int64_t k,
                              std::int64_t n);

}  // namespace bitpulse
