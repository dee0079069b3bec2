// SPDX-License-Identifier: Apache-2.0
#pragma once

// An integer network on disk: network.json (graph, bits, signedness, scales, rounding, provenance)
// beside tensors.safetensors (integers, multipliers). Loaded back identically.

#include <string>

#include "quant/integer/integer_network.h"

namespace bitpulse {

/// Writes both files (the folder is made), each whole or not at all.
///
/// errors  kIo; kInvalidInput: what validate() refuses, a scale that is not finite
void save_network(const IntegerNetwork& network, const std::string& folder);

/// errors  kIo, kLimit; kInvalidInput: file, place, found, expected; what validate() refuses
IntegerNetwork load_network(const std::string& folder);

}  // namespace bitpulse
