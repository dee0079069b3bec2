// SPDX-License-Identifier: Apache-2.0
#pragma once

// Start and finish of array commands by closed form: the recurrences of sim/README.md, section 4,
// summed over runs of equal folds. A nest has at most four kinds of folds (full or last rows, full
// or last columns), so a command costs the same whatever its number of folds.

#include <cstdint>

#include "sim/command_timer.h"
#include "sim/machine.h"
#include "sim/program.h"

namespace bitpulse {

/// How an extent is cut into folds: count - 1 full ones and a last one of `last` (1..full).
struct FoldCut {
  std::uint64_t full = 1, count = 1, last = 1;
  std::uint64_t first() const { return count > 1 ? full : last; }
};

constexpr FoldCut cut_folds(std::uint64_t extent, std::uint64_t full) {
  const std::uint64_t count = (extent + full - 1) / full;
  return {full, count, extent - (count - 1) * full};
}

/// The array between commands: when it may go on.
class ArrayTimer {
 public:
  explicit ArrayTimer(const ArraySpec& spec) : spec_(spec) { reset(); }

  /// Back to an idle array in cycle 0.
  void reset();

  /// Times of the next command, whose last predecessor finishes at `ready`. Extents and counts of
  /// the nest are at least 1.
  CommandTime issue(const FoldNest& nest, std::uint64_t ready);

  /// Cycles for which commands could have started but for their predecessors.
  std::uint64_t waited() const { return waited_; }

  /// No later command starts before.
  std::uint64_t time() const { return spec_.overlap ? stream_start_ : free_; }
  void skip(std::uint64_t cycles, std::uint64_t waited) {
    stream_start_ += cycles;
    free_ += cycles;
    waited_ += waited;
  }

 private:
  /// What follows from a nest alone; kept, as neighbours mostly have the same.
  struct Shape {
    FoldNest nest;
    std::uint64_t serial = 0;  // cycles without overlap
    // With overlap: the preload before the first stream, from the first stream's start to the
    // last's, from there to the last output; rows of the last fold.
    std::uint64_t preload = 0, span = 0, way_out = 0, last_rows = 0;
  };
  static bool same(const FoldNest& a, const FoldNest& b);
  void describe_serial();
  void describe_overlapped();
  /// When a command of this shape could start if it waited for none.
  std::uint64_t could_start() const;

  ArraySpec spec_;
  Shape shape_;
  std::uint64_t waited_ = 0;
  std::uint64_t free_ = 0;  // serial: finish of the last command

  // Overlapped: the last fold issued. Before the first one nothing holds the array back.
  bool started_ = false;
  std::uint64_t stream_start_ = 0, stream_ = 0, rows_ = 0;
};

}  // namespace bitpulse
