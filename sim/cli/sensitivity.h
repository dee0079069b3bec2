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
  std::int64_t activation_draws = 0;  // per image; 0: of weights alone
  std::optional<std::uint64_t> seed;  // none: the workload's
  std::string method = "double_backward", device = "cpu";
  int threads = 1;
};

/// The file in the cache, estimated now where it is not there yet or cannot be read.
///
/// path    set where the status is 0
/// returns bitpulse-train's exit status
/// errors  kInvalidInput: no weights or no training images; kUsage: no bitpulse-train; kIo
int find_sensitivity(const WorkloadInput& input, const SensitivityRequest& request,
                     std::string& path);

/// The file for "bits" that name none: with activations where they are free. Says so on standard
/// error where it has to be estimated.
///
/// errors  as above; kCheckFailed: bitpulse-train failed
std::string sensitivity_on_demand(const WorkloadInput& input);

}  // namespace bitpulse
