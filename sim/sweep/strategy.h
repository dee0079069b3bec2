// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which points of a sweep's grid are run: all, or a sample whose points are each drawn once. The
// evolutionary strategy chooses as it goes (nsga2.h).

#include <cstdint>
#include <vector>

#include "sim/sweep/spec.h"

namespace bitpulse {

/// Numbers of grid points in ascending order; the same for the same seed on every machine. Samples
/// that fall on a point already drawn are dropped, so a sample may be smaller than asked for.
/// Sobol: the sequence of Joe and Kuo's directions as Boost.Random has it, from its first point on.
std::vector<std::uint64_t> choose_points(const SweepSpec& spec);

}  // namespace bitpulse
