// SPDX-License-Identifier: Apache-2.0
#pragma once

// `bitpulse-train sensitivity`: writes what the loss feels as a "bitpulse/hessian/1" file.

#include <string>
#include <vector>

namespace bitpulse {

inline constexpr const char* kSensitivityCommand = "sensitivity";

/// Returns the exit status; `words` follow the command's name. errors  see sensitivity_of
int run_sensitivity(const std::vector<std::string>& words);

}  // namespace bitpulse
