// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bits that a workload leaves to be chosen ("bits": {"auto": "hawq", ...}): from its files to an
// allocator.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/workload.h"
#include "sim/allocate/allocate.h"
#include "sim/cli/inputs.h"
#include "sim/energy/technology.h"

namespace bitpulse {

/// An allocator with what it refers to.
class WorkloadAllocator {
 public:
  /// The machine that "bits" names counts, or else `machine` (null: none).
  ///
  /// errors  the readers', with the workload's file and place; kInvalidInput: sensitivities of
  ///         other weights; those of sensitivity_on_demand() where "bits" name none
  WorkloadAllocator(const WorkloadInput& input, const Machine* machine);
  WorkloadAllocator(const WorkloadAllocator&) = delete;  // the allocator refers to what lies beside
  WorkloadAllocator& operator=(const WorkloadAllocator&) = delete;

  const Allocator& allocator() const { return *allocator_; }
  const std::vector<std::string>& files() const { return files_; }  // that have been read

 private:
  Workload workload_;
  std::optional<Machine> machine_;
  std::optional<Technology> technology_;
  std::vector<std::string> files_;
  std::unique_ptr<Allocator> allocator_;
};

}  // namespace bitpulse
