// SPDX-License-Identifier: Apache-2.0
#pragma once

// The first cycle in which an array's bottom edge is not that of its reference, and, where the edge
// alone does not tell, which row the fault stands in.

#include <cstdint>
#include <string>
#include <utility>

#include "models/error.h"
#include "sim/divergence.h"
#include "sim/rtl/array_driver.h"

namespace bitpulse::rtl {

struct EdgeDifference {
  enum class What { kValid, kSum, kOverflows };
  What what = What::kSum;
  std::uint64_t cycle = 0;  // in which the outputs stand
  std::uint64_t edge = 0;   // clock edges since the driver began
  int column = 0;
  std::int64_t expected = 0, found = 0;
  std::uint64_t fold = 0;  // in the order of push: whose output it is, or would be
  int line = 0;            // of the sums: stream element (ws) or row (os)
};
const char* to_string(EdgeDifference::What what);

class EdgeDifferenceError : public Error {
 public:
  explicit EdgeDifferenceError(const EdgeDifference& difference);
  const EdgeDifference& difference() const { return difference_; }

 private:
  EdgeDifference difference_;
};

/// The rows that may hold the faulty PE of a column. Each sum of an os fold is one PE's. A ws fold,
/// which showed the difference, is executed again with the operands of some rows only; all rows are
/// named where that does not tell: the fault needs an earlier fold or no operands at all.
PeRange faulty_pes(const EdgeDifference& difference, const Fold& fold, AccFormat format,
                   ArrayModel& model, ArrayModel& reference);

}  // namespace bitpulse::rtl
