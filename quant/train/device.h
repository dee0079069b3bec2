// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where torch computes.

#include <ATen/ATen.h>

#include <string>

namespace bitpulse {

/// "cpu", or "cuda" without the shortened floats of its convolutions.
///
/// errors  kUsage: another name; kInvalidInput: no such device here
at::Device find_device(const std::string& name);

}  // namespace bitpulse
