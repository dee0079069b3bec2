// SPDX-License-Identifier: Apache-2.0
#pragma once

// NSGA-II (Deb et al., IEEE TEVC 2002) over a sweep's grid, as Pagmo has it: generations of points
// that are run together, crossed and mutated by rank and crowding.

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/sweep/spec.h"

namespace bitpulse {

/// The objectives of each point, smaller better; one that cannot run is infinitely bad.
using EvaluateGeneration =
    std::function<std::vector<std::vector<double>>(const std::vector<std::uint64_t>& ids)>;

/// Same seed and answers, same points. Needs two objectives or more.
///
/// errors  kInvalidInput: a single objective, a single point; what `evaluate` throws
void search_nsga2(const SweepSpec& spec, const EvaluateGeneration& evaluate);

}  // namespace bitpulse
