// SPDX-License-Identifier: Apache-2.0
#pragma once

// Executes folds on an array model, cycle by cycle: presents weights and activations at the edges
// at the times of the timing contract (sim/README.md, section 4) and notes when each output
// appears. Input times follow the contract's intervals; output times are read off the array's valid
// flags.

#include <cstdint>
#include <deque>
#include <vector>

#include "sim/rtl/accumulator_memory.h"
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
  // With an accumulator memory: line t of the sums goes to word acc_addr + t.
  std::uint32_t acc_addr = 0;
  bool accumulate = false;
  int acc_shift = 0;
};

/// What came out: [stream][cols] (ws) or [rows][cols] (os).
struct FoldOutput {
  std::uint64_t start = 0;   // first cycle of the stream
  std::uint64_t finish = 0;  // first cycle in which all outputs are there
  std::vector<std::int32_t> sums;
  std::vector<std::uint32_t> overflows;  // additions and shifts that left the format
  std::vector<std::uint64_t> cycles;     // in which the output was there first
  // With an accumulator memory: what became of its words, and the overflows until then.
  std::vector<std::int32_t> totals;
  std::vector<std::uint32_t> total_overflows;
};

class ArrayDriver {
 public:
  explicit ArrayDriver(ArrayModel& model);

  /// Forgets everything in flight; time goes on.
  void reset();
  void set_format(AccFormat format);
  /// Whether a fold may begin while earlier ones are in flight; folds must not be.
  void set_overlap(bool overlap) { overlap_ = overlap; }
  /// All sums from here on are added up in `memory`; null: in none.
  void set_memory(AccumulatorMemory* memory) { memory_ = memory; }

  /// In every cycle from here on what stands at the bottom edge is compared with what stands at
  /// that of `reference`, which gets the same inputs; null: with nothing. Nothing may be in flight.
  void set_reference(ArrayModel* reference) { reference_ = reference; }

  /// Queues a fold behind those before it, to be executed one after the other's end or as close as
  /// the second registers allow.
  void push(Fold fold);
  /// Whether a fold is queued or in flight.
  bool busy() const { return finished_ < entries_.size(); }
  /// Lets time pass while nothing is queued or in flight.
  void wait_until(std::uint64_t cycle);
  /// One clock cycle.
  ///
  /// errors  Error(kInternal) when an output does not appear in the cycle that the contract names
  ///         last for it, or when there are more outputs than folds ask for;
  ///         EdgeDifferenceError, before these, when it is not the reference's
  void step();
  bool has_output() const { return finished_ > taken_; }
  /// The outputs of the oldest fold, once all have come (has_output()).
  FoldOutput take_output();

  /// Executes the folds and returns when the last output is out.
  ///
  /// errors  as step
  std::vector<FoldOutput> run(const std::vector<Fold>& folds, bool overlap);

  /// As run, but stops after `cycles` cycles, in the middle of things: reset() follows.
  void run_for(const std::vector<Fold>& folds, bool overlap, std::uint64_t cycles);

  /// The next cycle.
  std::uint64_t now() const { return now_; }

 private:
  /// A fold from its push until every column, used or not, has given its outputs.
  struct Entry {
    Fold fold;
    FoldOutput output;
    std::uint64_t missing = 0;  // outputs of used columns that have not come
  };
  struct Cursor {  // of a column: the output that comes next
    std::uint64_t fold = 0;
    int index = 0;
  };

  void plan();
  void drive();
  void collect();
  void compare(const EdgeOutputs& edge) const;
  void accumulate(const EdgeOutputs& edge);
  void drop_spent();
  const Entry& entry(std::uint64_t fold) const {
    return entries_[static_cast<std::size_t>(fold - first_)];
  }
  Entry& entry(std::uint64_t fold) { return entries_[static_cast<std::size_t>(fold - first_)]; }
  std::uint64_t last_output(const Entry& entry) const;
  /// The line of sums that a column's next output belongs to: os drains the bottom row first.
  int line(const Fold& fold, int index) const {
    return shape_.output_stationary ? fold.rows - 1 - index : index;
  }
  /// Outputs of a column.
  int lines(const Fold& fold) const { return shape_.output_stationary ? fold.rows : fold.stream; }
  std::uint64_t preload(const Fold& fold) const;

  ArrayModel& model_;
  ArrayModel* reference_ = nullptr;
  AccumulatorMemory* memory_ = nullptr;
  ArrayShape shape_;
  std::vector<std::uint32_t> zero_acts_, zero_weights_;
  bool overlap_ = true;
  std::uint64_t now_ = 0;
  std::uint64_t edges_ = 0;  // given to the model

  // Folds are numbered as they are pushed; entries_ holds numbers first_, first_ + 1, ...
  std::deque<Entry> entries_;
  std::uint64_t first_ = 0;
  std::vector<Cursor> cursors_;
  std::uint64_t planned_ = 0;    // folds whose start is known
  std::uint64_t streaming_ = 0;  // fold that streams now or next
  std::uint64_t loading_ = 0;    // ws: fold that preloads; os: fold to be captured
  std::size_t finished_ = 0;     // leading entries all of whose outputs have come
  std::size_t taken_ = 0;        // leading entries whose outputs have been taken
};

}  // namespace bitpulse::rtl
