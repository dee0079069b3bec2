// SPDX-License-Identifier: Apache-2.0
#pragma once

// `bitpulse run` of a sweep's point in a process of its own, for engines and accuracies that a
// thread cannot have.

#include <cstdint>
#include <string>
#include <vector>

#include "sim/cli/command.h"
#include "sim/sweep/evaluator.h"

namespace bitpulse {

class RunOfPoint {
 public:
  /// Keeps a reference to `evaluator`. `arguments` may bound memory and name the cache.
  RunOfPoint(const Evaluator& evaluator, const Arguments& arguments, std::string engine,
             double timeout_s);

  /// errors  kCheckFailed: the run gave no report
  PointMetrics operator()(std::uint64_t id) const;

 private:
  const Evaluator& evaluator_;
  double timeout_s_;
  std::string memory_mib_;  // the limit, "" none
  std::vector<std::string> options_;
};

}  // namespace bitpulse
