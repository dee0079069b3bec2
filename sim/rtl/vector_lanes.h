// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Verilated lanes of the vector unit: as many requantizers of 16 lanes side by side as the
// machine's lanes need. Each element makes its passes in consecutive cycles, so that a lane need
// keep one value only.

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/rtl/lane_passes.h"

namespace bitpulse::rtl {

class VectorLanes {
 public:
  VectorLanes();
  ~VectorLanes();

  /// errors  Error(kInvalidInput): the program was built without Verilator
  void reset(std::size_t lanes);
  /// Executes the passes over all elements of `job`.
  ///
  /// values  [elements], where they are sums; else null: they are the job's codes
  /// returns codes and saturations; as cycles those until the last code stands in its register
  ///
  /// errors  Error(kInternal): a code that no pass asked for
  VectorOutcome run(const VectorJob& job, std::vector<LanePass> passes, const std::int32_t* values);

 private:
  class Group;
  struct Beat;
  void load(const Beat& beat, const VectorJob& job, const std::int32_t* values);
  void step(const Beat& beat);
  bool collect(const Beat& beat, VectorOutcome& outcome) const;

  std::size_t lanes_ = 0;
  std::vector<std::unique_ptr<Group>> groups_;
  std::vector<std::int32_t> value_, addend_, other_;  // of all lanes of a beat, zero beyond
};

}  // namespace bitpulse::rtl
