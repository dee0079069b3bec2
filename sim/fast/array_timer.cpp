// SPDX-License-Identifier: Apache-2.0
#include "sim/fast/array_timer.h"

#include <algorithm>
#include <cassert>

namespace bitpulse {

CommandTime ArrayTimer::issue(const FoldNest& nest, std::uint64_t ready) {
  assert(nest.repeats > 0 && nest.passes > 0 && nest.stream > 0);
  assert(nest.rows_extent > 0 && nest.cols_extent > 0);
  return spec_.overlap ? issue_overlapped(nest, ready) : issue_serial(nest, ready);
}

// Sum over all folds of r + T + R + c - 2, the serial cost in every dataflow.
CommandTime ArrayTimer::issue_serial(const FoldNest& nest, std::uint64_t ready) {
  const std::uint64_t row_folds = cut_folds(nest.rows_extent, spec_.rows).count;
  const std::uint64_t col_folds = cut_folds(nest.cols_extent, spec_.cols).count;
  const std::uint64_t per_pass = row_folds * col_folds * (nest.stream + spec_.rows) +
                                 col_folds * nest.rows_extent + row_folds * nest.cols_extent -
                                 2 * row_folds * col_folds;
  const std::uint64_t start = std::max(ready, free_);
  free_ = start + nest.repeats * nest.passes * per_pass;
  return {start, free_};
}

// Within a command every fold streams T, and the next one starts max(T, r) later: r is the next
// fold's in ws and is (its preload), this fold's in os (its drain). The predecessors bind the first
// fold only, since S_i >= ready from then on.
CommandTime ArrayTimer::issue_overlapped(const FoldNest& nest, std::uint64_t ready) {
  const bool os = spec_.dataflow == Dataflow::kOs;
  const FoldCut rows = cut_folds(nest.rows_extent, spec_.rows);
  const FoldCut cols = cut_folds(nest.cols_extent, spec_.cols);
  const std::uint64_t stream = nest.stream;
  const auto step = [stream](std::uint64_t r) { return std::max(stream, r); };
  const std::uint64_t column = nest.passes * ((rows.count - 1) * step(rows.full) + step(rows.last));

  std::uint64_t first = ready;
  if (os) {
    const std::uint64_t drain = rows_ > stream ? rows_ - stream : 0;
    if (started_) first = std::max(first, stream_start_ + stream_ + drain);
  } else {
    first += rows.first();
    if (started_) first = std::max(first, stream_start_ + std::max(stream_, rows.first()));
  }
  const std::uint64_t last =
      first + nest.repeats * cols.count * column - step(os ? rows.last : rows.first());

  // Last outputs of the last fold, and of the last one of full width where the last is narrower.
  const std::uint64_t tail = stream + spec_.rows + (os ? rows.last : 0);
  std::uint64_t finish = last + tail + cols.last - 2;
  if (cols.count > 1) finish = std::max(finish, last - column + tail + cols.full - 2);

  started_ = true;
  stream_start_ = last;
  stream_ = stream;
  rows_ = rows.last;
  return {os ? first : first - rows.first(), finish};
}

}  // namespace bitpulse
