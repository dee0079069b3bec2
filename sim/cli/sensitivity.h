// SPDX-License-Identifier: Apache-2.0
#pragma once

// The sensitivities of a network's layers ("bitpulse/hessian/1"), estimated once: bitpulse-train
// makes the file, the cache keeps it under a digest of all that it follows from.

#include <cstdint>
#include <optional>
#include <string>

#include "sim/cli/inputs.h"

namespace bitpulse {

struct SensitivityRequest {
  std::int64_t images = 512, draws = 50;
  std::optional<std::uint64_t> seed;  // none: the workload's
  std::string method = "double_backward", device = "cpu";
  int threads = 1;
};

/// The file in the cache, estimated now where it is not there yet.
///
/// path    set where the status is 0
/// returns bitpulse-train's exit status
/// errors  kInvalidInput: no weights or no training images; kUsage: no bitpulse-train; kIo
int find_sensitivity(const WorkloadInput& input, const std::string& workload_file,
                     const SensitivityRequest& request, std::string& path);

}  // namespace bitpulse
