// SPDX-License-Identifier: Apache-2.0
#pragma once

// The choice of a layer's tiling.

#include <vector>

#include "sim/schedule/compile.h"
#include "sim/schedule/emit.h"
#include "sim/schedule/tiling.h"

namespace bitpulse {

class TilingSearch {
 public:
  TilingSearch(const Machine& machine, const ProgramCost& cost);

  /// errors  kInvalidInput: not even the smallest tile fits; layer, need, have, what helps
  Tiling choose(const LayerShape& shape, const LayerPlan& plan, const LayerAddresses& addresses);

 private:
  const Machine& machine_;
  const ProgramCost& cost_;
  Footprint have_;
};

}  // namespace bitpulse
