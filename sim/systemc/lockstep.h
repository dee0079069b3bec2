// SPDX-License-Identifier: Apache-2.0
#pragma once

// The array at register level, stepped cycle by cycle with values: R x C PEs with registers only at
// their boundaries, fed through the left and top edges, read at the bottom edge. It confirms the
// times of wavefront.h, and its ports are those of the RTL, to be compared cycle for cycle.
// Section 4 of sim/README.md. Every control bit enters with the streamed operand of its row and
// travels right with it, so that a wave is one skewed column of port values:
//  - ws, is: `second` shifts the preload chain of its row; `first` swaps the second weight register
//    in and uses it in the same cycle.
//  - os: `first` starts a sum with its product; `capture` moves the finished sum to the drain
//    register; `second` holds the drain register until the capture wave has passed its column.

#include <cstdint>
#include <vector>

#include "sim/machine.h"
#include "sim/systemc/wavefront.h"

namespace bitpulse {

/// How the words of a port are cut: `lanes` operands of `bits`, lane l in bits [l * bits +: bits].
struct WordFormat {
  std::uint8_t left_bits = 8, top_bits = 8;
  bool left_signed = true, top_signed = true;
  std::uint8_t lanes = 1;
  std::uint8_t shift = 0;  // os: digit pairs are shifted before they are added
};

struct LeftPort {
  std::uint64_t word = 0;
  WordFormat format;
  bool valid = false;
  bool first = false;
  bool second = false;
  bool capture = false;
};

struct BottomPort {
  std::int32_t sum = 0;
  std::uint32_t overflows = 0;  // met while forming sum
  bool valid = false;
};

/// The PEs. Unused rows must be fed zero words, unused columns hold what the top ports gave.
class LockstepArray {
 public:
  explicit LockstepArray(const ArraySpec& spec);

  /// One clock edge. left: one per row; top: one word per column. The outputs are those of row
  /// R-1's registers after the edge.
  void step(const std::vector<LeftPort>& left, const std::vector<std::uint64_t>& top);
  const std::vector<BottomPort>& bottom() const { return bottom_; }

  /// Additions and shifts whose exact result left acc_bits so far.
  std::uint64_t overflows() const { return overflows_; }

 private:
  struct Pe {
    LeftPort left;             // to the right neighbour
    std::uint64_t top = 0;     // os: to the PE below
    std::uint64_t weight = 0;  // ws, is
    std::uint64_t second_weight = 0;
    std::int64_t sum = 0;  // ws, is: to the PE below
    std::uint32_t sum_overflows = 0;
    bool sum_valid = false;
    std::int64_t drain = 0;
    std::uint32_t drain_overflows = 0;
    bool drain_valid = false;
  };
  void step_stationary(Pe& pe, const Pe* above, const LeftPort& left, std::uint64_t top);
  void step_output(Pe& pe, const Pe* above, const LeftPort& left, std::uint64_t top);
  std::int64_t fit(std::int64_t exact, std::uint32_t& overflows);

  ArraySpec spec_;
  std::vector<Pe> pes_;
  std::vector<BottomPort> bottom_;
  std::uint64_t overflows_ = 0;
};

/// One fold with its operands and its place in time.
struct LockstepFold {
  Fold fold;
  FoldTime time;
  std::vector<WordFormat> formats;  // one, or one per streamed word
  std::vector<std::uint64_t> left;  // streamed [t][row]
  std::vector<std::uint64_t> top;   // ws, is: stationary [row][col]; os: streamed [t][col]
};

/// Feeds the edges of an array with a list of folds, cycle by cycle.
class EdgeDriver {
 public:
  EdgeDriver(const ArraySpec& spec, const std::vector<LockstepFold>& folds);

  /// The ports in `cycle`; cycles must be asked for in ascending order.
  ///
  /// errors  Error(kInternal) where two folds need one port in the same cycle
  void drive(std::int64_t cycle, std::vector<LeftPort>& left, std::vector<std::uint64_t>& top);

 private:
  void drive_stationary(const LockstepFold& f, std::int64_t cycle, std::vector<LeftPort>& left,
                        std::vector<std::uint64_t>& top);
  void drive_output(const LockstepFold& f, std::int64_t cycle, std::vector<LeftPort>& left,
                    std::vector<std::uint64_t>& top);
  void take(std::vector<std::int64_t>& port, std::size_t index, std::int64_t cycle);

  ArraySpec spec_;
  const std::vector<LockstepFold>& folds_;
  std::size_t oldest_ = 0;
  std::vector<std::int64_t> left_taken_, top_taken_;  // last cycle a port was driven in
};

/// What came out at the bottom edge for one fold.
struct LockstepOutput {
  std::vector<std::int32_t> sums;  // ws, is: [t][col]; os: [row][col]
  std::int64_t finish = 0;         // the edge that wrote the last of them
};
struct LockstepResult {
  std::vector<LockstepOutput> folds;
  std::uint64_t overflows = 0;
};

/// Steps the array through all folds.
LockstepResult run_lockstep(const ArraySpec& spec, const std::vector<LockstepFold>& folds);

}  // namespace bitpulse
