// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Verilated accumulator memory below an array: as many banks (rtl/accumulator/acc_bank.sv) side
// by side as its columns need, each a stack of macros of 4096 words that come into being when a
// word of theirs is first used. It takes the sums of all columns in the cycle in which they stand
// at the array's bottom edge.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sim/rtl/array_model.h"

namespace bitpulse::rtl {

/// What becomes of the sum that stands in column 0, and of those of the columns to its right as
/// they come.
struct SumAccess {
  std::uint32_t addr = 0;
  bool accumulate = false;  // add to the word; else replace it
  int shift = 0;            // of the sum
  int cols = 1;             // that take part
};

class AccumulatorMemory {
 public:
  AccumulatorMemory();
  ~AccumulatorMemory();

  /// For an array of `cols` columns; nothing is in flight, words have no meaning yet.
  ///
  /// errors  Error(kInvalidInput): the program was built without Verilator
  void reset(int cols, AccFormat format);
  /// One cycle: `edge` is what stands at the array's bottom edge.
  void step(const EdgeOutputs& edge, const std::optional<SumAccess>& access);

  /// What the last step has written to word `addr` of a column, if it has, and the overflows that
  /// it came with: those met in the array and those of the shift and the addition here.
  std::int32_t sum(std::size_t col, std::uint32_t addr) const;
  std::uint32_t overflows(std::size_t col, std::uint32_t addr) const;

  /// Word `addr` of all columns, and of some more.
  ///
  /// errors  Error(kInternal): no word of this macro was ever written
  void read(std::uint32_t addr, std::vector<std::int32_t>& words);

 private:
  class Bank;
  struct Macro {
    std::vector<std::unique_ptr<Bank>> banks;  // columns 0 .. 15, 16 .. 31, ...
    int live = 0;                              // cycles until nothing is in flight
  };
  Macro& enter(const SumAccess& access);
  Macro* find(std::uint32_t addr) const;

  std::size_t cols_ = 0;
  AccFormat format_;
  std::vector<std::uint32_t> psums_, overflows_;  // of a whole number of banks
  std::vector<std::unique_ptr<Macro>> macros_;    // by addr / 4096; null: not yet used
  std::vector<Macro*> live_;                      // those with something in flight
};

}  // namespace bitpulse::rtl
