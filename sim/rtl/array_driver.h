// SPDX-License-Identifier: Apache-2.0
#pragma once

// Executes folds on an array model, cycle by cycle: presents weights and activations at the edges
// at the times of the timing contract (sim/README.md, section 4) and notes when each output
// appears. Input times follow the contract's intervals; output times are read off the array's valid
// flags.

#include <cstdint>
#include <deque>
#include <vector>

#include "sim/rtl/array_model.h"

namespace bitpulse::rtl {

/// What a stream element of an os fold is: its formats and the shift of its product.
struct ElementFormat {
  Format act, weight;
  int shift = 0;
};

/// One fold, its operands packed as port words. Words of unused rows and columns are zero.
struct Fold {
  int rows = 1;  // used
  int cols = 1;
  int stream = 1;  // T
  Format act_format, weight_format;
  std::vector<std::uint32_t> acts;      // [stream][act_words]
  std::vector<std::uint32_t> weights;   // ws: [rows][weight_words]; os: [stream][weight_words]
  std::vector<ElementFormat> elements;  // os: [stream], or empty: the fold's formats, no shift
  std::uint64_t ready = 0;              // first cycle of the fold may not come earlier
};

/// What came out: [stream][cols] (ws) or [rows][cols] (os).
struct FoldOutput {
  std::uint64_t start = 0;   // first cycle of the stream
  std::uint64_t finish = 0;  // first cycle in which all outputs are there
  std::vector<std::int32_t> sums;
  std::vector<std::uint32_t> overflows;  // additions and shifts that left the format
  std::vector<std::uint64_t> cycles;     // in which the output was there first
};

class ArrayDriver {
 public:
  explicit ArrayDriver(ArrayModel& model);

  /// Forgets everything in flight; time goes on.
  void reset();
  void set_format(AccFormat format) { model_.set_format(format); }

  /// Executes the folds in order, one after the other's end or as close as the second registers
  /// allow, and returns when the last output is out.
  ///
  /// errors  Error(kInternal) when an output does not appear in the cycle that the contract names
  ///         last for it, or when there are more outputs than folds ask for
  std::vector<FoldOutput> run(const std::vector<Fold>& folds, bool overlap);

  /// As run, but stops after `cycles` cycles, in the middle of things: reset() follows.
  void run_for(const std::vector<Fold>& folds, bool overlap, std::uint64_t cycles);

  /// The next cycle.
  std::uint64_t now() const { return now_; }

 private:
  struct Cursor {  // of a column: the output that comes next
    std::size_t fold = 0;
    int index = 0;
  };

  void begin(const std::vector<Fold>& folds, bool overlap);
  void plan_next();
  std::uint64_t last_output(std::size_t fold) const;
  void step();
  void collect();
  void ignore_rest();
  /// Outputs of a column.
  int lines(const Fold& fold) const { return shape_.output_stationary ? fold.rows : fold.stream; }

  ArrayModel& model_;
  ArrayShape shape_;
  std::vector<std::uint32_t> zero_acts_, zero_weights_;
  std::vector<std::uint64_t> ignored_;  // outputs of each column, of earlier runs, yet to come
  std::uint64_t now_ = 0;

  // Of the current run.
  const std::vector<Fold>* folds_ = nullptr;
  bool overlap_ = false;
  std::vector<FoldOutput> outputs_;
  std::vector<std::uint64_t> missing_;  // outputs of each fold that have not come
  std::vector<Cursor> cursors_;
  std::size_t planned_ = 0;    // folds whose start is known
  std::size_t streaming_ = 0;  // fold that streams now or next
  std::size_t loading_ = 0;    // ws: fold that preloads; os: fold to be captured
  std::size_t finished_ = 0;   // leading folds all of whose outputs have come
};

}  // namespace bitpulse::rtl
