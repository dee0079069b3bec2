// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tensors and facts of a training on disk: one safetensors file, written whole or not at all, so
// that a kill at any moment leaves the last one.

#include <map>
#include <string>
#include <vector>

#include "quant/train/network.h"

namespace bitpulse {

using Facts = std::map<std::string, std::string>;

/// The float32 tensors by their names. errors  kIo
void save_tensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                  const Facts& facts);

/// Fills the tensors, bit for bit, and returns the facts.
///
/// errors  kInvalidInput: a tensor is missing, not float32 or of another shape; readers' errors
Facts load_tensors(const std::string& path, const std::vector<NamedTensor>& tensors);

}  // namespace bitpulse
