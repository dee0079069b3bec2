// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a vector command to the passes that the requantizer's lanes (rtl/vector/requantizer.sv) make
// over each of its elements: the window of a pool, the residual's sum, one for every store. The
// first of these last takes a sum or a code as it comes, the others what was kept of it.

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/rtl/ports.h"
#include "sim/systemc/vector_backend.h"

namespace bitpulse::rtl {

/// Parameters of a lane by column.
struct LaneParameters {
  std::vector<std::int32_t> addend, m, m_negative, shift, other_m, other_shift;
};

struct LanePass {
  LaneCtrl ctrl;
  CodeRange clamp;
  LaneParameters parameters;
  int window = -1;           // code of the window that comes in as value (the first) or as addend
  bool ones = false;         // the other operand is 1 and not the identity's code
  int store = -1;            // that gets the codes
  bool counts_sums = false;  // saturations of additions are counted
  bool counts_clips = false;
  bool counts_above = false, counts_below = false;  // sums that a 16-bit stream does not hold
};

/// The passes of a command, or nothing: an average rounded down over a window so large that one
/// multiplication does not give it exactly.
///
/// errors  Error(kInternal): as many passes as the command has cannot do it
std::optional<std::vector<LanePass>> lane_passes(const VectorJob& job);

}  // namespace bitpulse::rtl
