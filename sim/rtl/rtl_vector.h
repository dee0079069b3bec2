// SPDX-License-Identifier: Apache-2.0
#pragma once

// Vector commands on the Verilated lanes: their sums out of the Verilated accumulator memory, every
// code out of a lane.

#include <optional>
#include <vector>

#include "sim/rtl/accumulator_memory.h"
#include "sim/rtl/vector_lanes.h"
#include "sim/systemc/vector_backend.h"

namespace bitpulse::rtl {

class RtlVector : public VectorBackend {
 public:
  /// memory  holds the sums of the program that runs
  explicit RtlVector(AccumulatorMemory& memory) : memory_(memory) {}
  void reset(const Program& program) override;
  /// errors  those of VectorLanes::run and AccumulatorMemory::read
  std::optional<VectorOutcome> run(const VectorJob& job) override;

 private:
  std::vector<std::int32_t> read_sums(const VectorJob& job);

  AccumulatorMemory& memory_;
  VectorLanes lanes_;
  ArraySpec spec_;
};

}  // namespace bitpulse::rtl
