// SPDX-License-Identifier: Apache-2.0
#pragma once

// Array commands on a Verilated array: every product and every sum of a fold comes out of the RTL,
// cycle by cycle, and is added up in the Verilated accumulator memory.

#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "sim/rtl/array_driver.h"
#include "sim/rtl/edge_difference.h"
#include "sim/rtl/fold_packer.h"
#include "sim/rtl/lockstep_model.h"
#include "sim/systemc/array_backend.h"

namespace bitpulse::rtl {

/// The Verilated array that stands in for a machine's.
ArrayShape shape_of(const ArraySpec& spec);

class RtlArray : public ArrayBackend {
 public:
  explicit RtlArray(ArrayMaker make = make_array_model) : make_(std::move(make)) {}
  /// errors  the maker's
  void reset(const Program& program) override;
  void submit(ArrayJob job, std::uint64_t cycle) override;
  bool busy() const override { return !jobs_.empty(); }
  /// errors  DivergenceError: in lockstep, the first difference at the edge
  void step() override;
  std::optional<ArrayOutcome> take() override;

  /// From the next reset on: whether the array's bottom edge is compared with the register-level
  /// model's in every cycle.
  void set_lockstep(bool lockstep) { lockstep_ = lockstep; }

  /// Clock cycles stepped so far.
  std::uint64_t stepped() const { return stepped_; }
  /// The sums of the commands that have finished.
  AccumulatorMemory& memory() { return memory_; }

 private:
  struct Job {
    ArrayJob job;
    std::vector<PackedFold> folds;  // operands handed to the driver
    std::uint64_t first_fold = 0;   // of all that the driver was given
    std::size_t finished = 0;
    ArrayOutcome outcome;
    bool started = false;
  };
  /// The error that names the command and the PE of a difference at the edge.
  DivergenceError located(const EdgeDifference& difference);
  void add(Job& job, const PackedFold& packed, const FoldOutput& output) const;

  ArrayMaker make_;
  const Program* program_ = nullptr;
  ArraySpec spec_;
  std::unique_ptr<ArrayModel> model_;
  bool lockstep_ = false;
  std::unique_ptr<LockstepModel> reference_;
  std::unique_ptr<ArrayDriver> driver_;
  AccumulatorMemory memory_;
  std::deque<Job> jobs_;     // in program order
  std::uint64_t folds_ = 0;  // given to the driver
  std::size_t filling_ = 0;  // the job that the driver's next output belongs to
  std::uint64_t stepped_ = 0;
};

}  // namespace bitpulse::rtl
