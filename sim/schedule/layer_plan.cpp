// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/layer_plan.h"

#include "models/units.h"
#include "sim/schedule/width_groups.h"

namespace bitpulse {

namespace {

std::uint64_t folds_of(std::uint64_t extent, std::uint64_t side) {
  return (extent + side - 1) / side;
}

/// Output pixels as SCALE-Sim counts them: padding added to the input, partial windows at the end.
std::int64_t scalesim_pixels(const LayerShape& shape) {
  const Window& w = shape.window;
  return ceil_div(shape.in.h + w.pad_top + w.pad_bottom - w.kernel_h + w.stride_h, w.stride_h) *
         ceil_div(shape.in.w + w.pad_left + w.pad_right - w.kernel_w + w.stride_w, w.stride_w);
}

}  // namespace

std::uint64_t fold_count(const FoldNest& nest, const ArraySpec& array) {
  return nest.repeats * folds_of(nest.rows_extent, array.rows) *
         folds_of(nest.cols_extent, array.cols) * nest.passes;
}

std::uint64_t serial_cycles(const FoldNest& nest, const ArraySpec& array) {
  // The used rows of all row folds sum up to rows_extent, and likewise the columns.
  const std::uint64_t row_folds = folds_of(nest.rows_extent, array.rows);
  const std::uint64_t col_folds = folds_of(nest.cols_extent, array.cols);
  const std::uint64_t one_pass = row_folds * col_folds * (nest.stream + array.rows - 2) +
                                 nest.rows_extent * col_folds + nest.cols_extent * row_folds;
  return nest.repeats * nest.passes * one_pass;
}

std::uint64_t scalesim_cycles(const ArraySpec& array, std::int64_t m, std::int64_t k,
                              std::int64_t n) {
  const FoldNest nest = fold_nest(array, PeMode{}, 1, m, k, n);
  const std::uint64_t preload = array.dataflow == Dataflow::kOs ? 0 : array.rows;
  const std::uint64_t fold = preload + array.rows + array.cols + nest.stream - 2;
  return fold_count(nest, array) * fold - 1;
}

LayerPlan make_plan(const IntegerLayer& layer, const LayerShape& shape, const ArraySpec& array) {
  LayerPlan plan;
  plan.name = layer.name;
  plan.kind = layer.kind;
  plan.act_bits = static_cast<std::uint8_t>(shape.in.bits);
  if (!shape.is_gemm) return plan;
  plan.m = shape.m;
  plan.k = shape.window.kernel_h * shape.window.kernel_w * shape.cin;
  plan.n = shape.cout;
  plan.groups = shape.groups;
  plan.macs = plan.m * plan.k * plan.n * plan.groups;
  plan.width_groups = width_groups(shape, std::get<GemmOp>(layer.op).weight_bits, array);
  for (const WidthGroup& group : plan.width_groups) {
    const FoldNest nest =
        fold_nest(array, group.mode, static_cast<std::int64_t>(group.groups.size()), plan.m,
                  group.k_packed, static_cast<std::int64_t>(group.channels.front().size()));
    plan.folds += static_cast<std::int64_t>(fold_count(nest, array));
    plan.serial_array_cycles += serial_cycles(nest, array);
  }
  plan.scalesim_m = layer.kind == "gemm" ? plan.m : shape.batch * scalesim_pixels(shape);
  plan.scalesim_cycles = static_cast<std::uint64_t>(plan.groups) *
                         scalesim_cycles(array, plan.scalesim_m, plan.k, plan.n);
  return plan;
}

}  // namespace bitpulse
