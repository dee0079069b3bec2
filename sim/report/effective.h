// SPDX-License-Identifier: Apache-2.0
#pragma once

// The configuration a run really had: the documents with their overrides, every key they leave out
// filled in with the default that was used.

#include <nlohmann/json_fwd.hpp>

#include "sim/report/report.h"

namespace bitpulse {

nlohmann::ordered_json effective_workload(const Report& report);
nlohmann::ordered_json effective_machine(const Report& report);

}  // namespace bitpulse
