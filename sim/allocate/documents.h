// SPDX-License-Identifier: Apache-2.0
#pragma once

// A choice of bits for people and for report.json, and the front of such choices: every layer with
// what it would lose and cost at each width, so that the reason for its bits can be seen.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "sim/allocate/allocate.h"

namespace bitpulse {

nlohmann::ordered_json allocation_json(const Allocation& allocation);

/// At most 80 columns.
std::string allocation_table(const Allocation& allocation);

/// One row per allocation: loss, each budget predicted and simulated, bits as "8/8 4/4 ...".
std::string front_csv(const std::vector<Allocation>& front);

}  // namespace bitpulse
