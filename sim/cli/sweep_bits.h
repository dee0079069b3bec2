// SPDX-License-Identifier: Apache-2.0
#pragma once

// Open bits of a sweep's workloads, chosen point by point. What a choice weighs does not depend on
// its budget, so it is found once for the points that differ in nothing else.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sim/cli/allocation.h"
#include "sim/sweep/evaluator.h"

namespace bitpulse {

class SweepBits : public BitChooser {
 public:
  std::vector<std::string> files(const Input& input) override;
  Workload choose(const Input& input, const Machine& machine,
                  const std::string& machine_text) override;

 private:
  std::shared_ptr<const WorkloadAllocator> allocator(const Input& input, const Machine& machine,
                                                     const std::string& machine_text);

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const WorkloadAllocator>> allocators_;
};

}  // namespace bitpulse
