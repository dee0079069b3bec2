// SPDX-License-Identifier: Apache-2.0
#pragma once

// An integer network on disk: network.json (graph, bits, signedness, scales, rounding, provenance)
// beside tensors.safetensors (integers, multipliers). Loaded back identically.

#include <string>

#include "quant/integer/integer_network.h"

namespace bitpulse {

void save_network(const IntegerNetwork& network, const std::string& folder);
IntegerNetwork load_network(const std::string& folder);

}  // namespace bitpulse
