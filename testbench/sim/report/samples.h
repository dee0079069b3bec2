// SPDX-License-Identifier: Apache-2.0
#pragma once

// A small report made by hand: a 4-bit convolution, one with two widths, and a pool.

#include "sim/report/report.h"

namespace bitpulse {

Report sample_report();

}  // namespace bitpulse
