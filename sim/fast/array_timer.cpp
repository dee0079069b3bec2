// SPDX-License-Identifier: Apache-2.0
#include "sim/fast/array_timer.h"

#include <algorithm>
#include <cassert>

namespace bitpulse {

bool ArrayTimer::same(const FoldNest& a, const FoldNest& b) {
  return a.repeats == b.repeats && a.passes == b.passes && a.rows_extent == b.rows_extent &&
         a.cols_extent == b.cols_extent && a.stream == b.stream;
}

void ArrayTimer::reset() {
  shape_.nest.repeats = 0;  // like no other
  free_ = waited_ = stream_start_ = 0;
  started_ = false;
}

std::uint64_t ArrayTimer::could_start() const {
  if (!spec_.overlap) return free_;
  if (!started_) return 0;
  if (spec_.dataflow != Dataflow::kOs) {
    return stream_start_ + std::max(stream_, shape_.preload) - shape_.preload;
  }
  const std::uint64_t stream = shape_.nest.stream;
  return stream_start_ + stream_ + (rows_ > stream ? rows_ - stream : 0);
}

CommandTime ArrayTimer::issue(const FoldNest& nest, std::uint64_t ready) {
  assert(nest.repeats > 0 && nest.passes > 0 && nest.stream > 0);
  assert(nest.rows_extent > 0 && nest.cols_extent > 0);
  if (!same(nest, shape_.nest)) {
    shape_.nest = nest;
    spec_.overlap ? describe_overlapped() : describe_serial();
  }
  // The predecessors bind the first fold only, since S_i >= ready from then on.
  const std::uint64_t could = could_start(), start = std::max(ready, could);
  waited_ += start - could;
  if (!spec_.overlap) {
    free_ = start + shape_.serial;
    return {start, free_};
  }
  started_ = true;
  stream_start_ = start + shape_.preload + shape_.span;
  stream_ = nest.stream;
  rows_ = shape_.last_rows;
  return {start, stream_start_ + shape_.way_out};
}

// Sum over all folds of r + T + R + c - 2, the serial cost in every dataflow.
void ArrayTimer::describe_serial() {
  const FoldNest& nest = shape_.nest;
  const std::uint64_t row_folds = cut_folds(nest.rows_extent, spec_.rows).count;
  const std::uint64_t col_folds = cut_folds(nest.cols_extent, spec_.cols).count;
  const std::uint64_t per_pass = row_folds * col_folds * (nest.stream + spec_.rows) +
                                 col_folds * nest.rows_extent + row_folds * nest.cols_extent -
                                 2 * row_folds * col_folds;
  shape_.serial = nest.repeats * nest.passes * per_pass;
}

// Within a command every fold streams T, and the next one starts max(T, r) later: r is the next
// fold's in ws and is (its preload), this fold's in os (its drain).
void ArrayTimer::describe_overlapped() {
  const FoldNest& nest = shape_.nest;
  const bool os = spec_.dataflow == Dataflow::kOs;
  const FoldCut rows = cut_folds(nest.rows_extent, spec_.rows);
  const FoldCut cols = cut_folds(nest.cols_extent, spec_.cols);
  const auto step = [&](std::uint64_t r) { return std::max(nest.stream, r); };
  const std::uint64_t column = nest.passes * ((rows.count - 1) * step(rows.full) + step(rows.last));
  shape_.preload = os ? 0 : rows.first();
  shape_.span = nest.repeats * cols.count * column - step(os ? rows.last : rows.first());
  shape_.last_rows = rows.last;
  // Last outputs of the last fold, and of the last one of full width where the last is narrower.
  const std::uint64_t tail = nest.stream + spec_.rows + (os ? rows.last : 0) - 2;
  shape_.way_out = tail + cols.last;
  if (cols.count > 1 && tail + cols.full > column) {
    shape_.way_out = std::max(shape_.way_out, tail + cols.full - column);
  }
}

}  // namespace bitpulse
