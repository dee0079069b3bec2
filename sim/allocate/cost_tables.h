// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a layer costs on a machine, given its own bits and those of the layers that read it, counted
// by the fast engine. Layers do not overlap, so a network's cycles and energy are sums over its
// layers. Readers that are tied change together and count as one. A layer with several others adds
// up their effects, each measured with the rest at the base, which is exact for one reader.

#include <cstdint>
#include <vector>

#include "quant/allocate/bit_program.h"
#include "quant/allocate/candidates.h"
#include "sim/machine.h"

namespace bitpulse {

struct Technology;  // sim/energy/technology.h

/// Costs of a whole network, in Resource's form (name and limit are the caller's).
struct CostTables {
  Resource cycles, energy_pj;
};

/// errors  kInvalidInput: the machine cannot run a layer at some width
CostTables cost_tables(const Workload& workload, const BitCandidates& candidates,
                       const Machine& machine, const Technology& technology);

struct NetworkCost {
  double cycles = 0, energy_pj = 0;
};
/// The whole network in the fast engine.
NetworkCost simulate(const Workload& workload, const Machine& machine,
                     const Technology& technology);

}  // namespace bitpulse
