// SPDX-License-Identifier: Apache-2.0
#pragma once

// When the array's waves may run: max-plus recurrences over the edge rows and columns of the array,
// O(R + C) per fold. Every wave (preload, stream, drain) moves one PE per cycle, right or down, so
// the PEs (i, 0) and (0, j) and the bottom edge tell when any PE is free; nothing here knows a
// closed form for a fold or for the interval between two. Section 4 of sim/README.md; the
// register-level model of lockstep.h confirms times and tightness.

#include <cstdint>
#include <vector>

#include "sim/machine.h"
#include "sim/systemc/folds.h"

namespace bitpulse {

/// In cycles. `start` is the first preload (ws, is) or the first stream cycle (os), `finish` the
/// edge that writes the last output: a successor may start in that cycle.
struct FoldTime {
  std::int64_t start = 0;
  std::int64_t stream_start = 0;
  std::int64_t finish = 0;
};

class Wavefront {
 public:
  explicit Wavefront(const ArraySpec& spec);

  /// Places the next fold: nothing of it before cycle `ready`, everything as early as the waves of
  /// earlier folds allow, and the preload as late as its stream allows.
  FoldTime place(const Fold& fold, std::int64_t ready);

 private:
  FoldTime place_stationary(const Fold& fold, std::int64_t ready);
  FoldTime place_output(const Fold& fold, std::int64_t ready);

  ArraySpec spec_;
  std::int64_t last_finish_ = 0;
  // First cycle in which each is free again, less its index: the time of the wave that may use it,
  // which enters at index 0 and moves on by one index per cycle.
  std::vector<std::int64_t> left_port_;   // per row: the streamed operand enters PE(i, 0)
  std::vector<std::int64_t> top_port_;    // per column: operand or weight enters PE(0, j)
  std::vector<std::int64_t> row_second_;  // second register (weight, drained sum) of PE(i, 0)
  std::vector<std::int64_t> col_second_;  // ... of PE(0, j)
  std::vector<std::int64_t> bottom_;      // per column: the register of row R-1
};

}  // namespace bitpulse
