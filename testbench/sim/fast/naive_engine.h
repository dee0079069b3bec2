// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rules of sim/README.md, sections 4 and 5, taken literally and slowly: one step per fold, one
// command at a time from whichever queue can go on, counters summed fold by fold, banked memory by
// the controller that looks at every earlier command.

#include <cstdint>

#include "sim/engine.h"

namespace bitpulse {

RunResult run_naively(const Program& program);

}  // namespace bitpulse
