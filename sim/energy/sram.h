// SPDX-License-Identifier: Apache-2.0
#pragma once

// Cost of one SRAM macro of any size, from the points of a table and the published scaling rules
// outside them (technology.h).

#include "sim/energy/technology.h"

namespace bitpulse {

struct SramCost {
  Picojoules read_bit, write_bit;
  Microwatts leakage;
  SquareMicrons area;
  bool extrapolated = false;  // size outside a table
};

/// bytes > 0
SramCost sram_cost(const Technology& technology, double bytes);

}  // namespace bitpulse
