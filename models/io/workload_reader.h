// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads "bitpulse/workload/1": a built-in network, an inline graph or a list of layers; data; bits.

#include <string_view>
#include <vector>

#include "models/io/json.h"
#include "models/workload.h"

namespace bitpulse {

/// The keys at the top of a workload JSON.
const std::vector<std::string_view>& workload_keys();

/// errors  see json.h; every unknown key, wrong type and value out of range
Workload read_workload(const JsonValue& root);

}  // namespace bitpulse
