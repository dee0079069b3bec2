// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/wavefront.h"

#include <algorithm>

namespace bitpulse {
namespace {

/// The earliest wave, not before `origin`, that finds each of the first `count` elements free when
/// it passes them, `offset` cycles behind its origin.
std::int64_t earliest(const std::vector<std::int64_t>& free, std::size_t count, std::int64_t offset,
                      std::int64_t origin) {
  std::int64_t latest[4] = {free[0], free[0], free[0], free[0]};  // four chains, for speed
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) {
      latest[lane] = std::max(latest[lane], free[i + lane]);
    }
  }
  for (; i < count; ++i) latest[0] = std::max(latest[0], free[i]);
  return std::max(origin, *std::max_element(latest, latest + 4) - offset);
}

/// The elements that a wave passes are free again when a wave of origin `end` may pass.
void occupy(std::vector<std::int64_t>& free, std::size_t count, std::int64_t end) {
  std::fill_n(free.begin(), count, end);
}

}  // namespace

Wavefront::Wavefront(const ArraySpec& spec)
    : spec_(spec),
      left_port_(spec.rows),
      top_port_(spec.cols),
      row_second_(spec.rows),
      col_second_(spec.cols),
      bottom_(spec.cols) {}

FoldTime Wavefront::place(const Fold& fold, std::int64_t ready) {
  if (!spec_.overlap) ready = std::max(ready, last_finish_);
  const FoldTime time =
      spec_.dataflow == Dataflow::kOs ? place_output(fold, ready) : place_stationary(fold, ready);
  last_finish_ = std::max(last_finish_, time.finish);
  return time;
}

FoldTime Wavefront::place_stationary(const Fold& fold, std::int64_t ready) {
  // Preload wave: row i shifts from cycle preload + i on, column j takes its first weight in
  // cycle preload + j. A second register may be overwritten in the cycle of its swap.
  std::int64_t preload = earliest(row_second_, fold.rows, 0, ready);
  preload = earliest(col_second_, fold.cols, 0, preload);
  preload = earliest(top_port_, fold.cols, 0, preload);

  // Stream wave: all rows, as the unused ones must see zeros under the passing sums; its sums
  // cross the array and leave row R-1.
  std::int64_t stream = earliest(left_port_, spec_.rows, 0, preload + fold.rows);
  stream = earliest(bottom_, fold.cols, spec_.rows - 1, stream);
  preload = stream - fold.rows;

  occupy(top_port_, fold.cols, preload + fold.rows);
  occupy(row_second_, fold.rows, stream);  // the swap wave runs with the first operand
  occupy(col_second_, fold.cols, stream);
  occupy(left_port_, spec_.rows, stream + fold.stream);
  occupy(bottom_, fold.cols, stream + fold.stream + spec_.rows - 1);
  return {preload, stream, bottom_[fold.cols - 1] + fold.cols - 1};
}

FoldTime Wavefront::place_output(const Fold& fold, std::int64_t ready) {
  // Stream waves enter from the left and from the top.
  std::int64_t stream = earliest(left_port_, fold.rows, 0, ready);
  stream = earliest(top_port_, fold.cols, 0, stream);

  // Capture wave, one cycle behind the last product: the drain register of each row must have
  // passed on the last sum of the fold before.
  stream = earliest(row_second_, fold.rows, fold.stream, stream);
  stream = earliest(col_second_, fold.cols, fold.stream, stream);
  // Drain wave: the sum of row r-1 is in row R-1 when it has passed the rows below.
  stream = earliest(bottom_, fold.cols, fold.stream + spec_.rows - 1, stream);

  const std::int64_t capture = stream + fold.stream;
  occupy(left_port_, fold.rows, capture);
  occupy(top_port_, fold.cols, capture);
  // A column starts to shift when its capture wave has passed all r rows; row 0's sum follows the
  // others down, one row per cycle, and the next capture may overwrite it as it leaves.
  occupy(row_second_, spec_.rows, capture + fold.rows);
  occupy(col_second_, fold.cols, capture + fold.rows);
  occupy(bottom_, fold.cols, capture + spec_.rows - 1 + fold.rows);
  return {stream, stream, bottom_[fold.cols - 1] + fold.cols - 1};
}

}  // namespace bitpulse
