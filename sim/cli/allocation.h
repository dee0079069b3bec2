// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bits that a workload leaves to be chosen ("bits": {"auto": "hawq", ...}): from its files to an
// allocator.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/io/json.h"
#include "models/workload.h"
#include "sim/allocate/allocate.h"
#include "sim/energy/technology.h"

namespace bitpulse {

/// An allocator with what it refers to.
class WorkloadAllocator {
 public:
  /// `document` is the workload's. The machine that "bits" names counts, or else `machine` (null:
  /// none).
  ///
  /// errors  the readers', with the workload's file and place; kInvalidInput: sensitivities of
  /// other
  ///         weights
  WorkloadAllocator(const JsonValue& document, Workload workload, const Machine* machine);

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
