// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which points of a sweep no other one beats. Points compete within their scope: the workload, or
// the network where accuracy is an objective.

#include <cstdint>
#include <vector>

#include "sim/sweep/row.h"
#include "sim/sweep/spec.h"

namespace bitpulse {

/// Smaller is better; accuracy is negated.
double objective_value(const PointMetrics& metrics, Objective objective);

/// `a` is at least as good in every objective and better in one.
bool dominates(const PointMetrics& a, const PointMetrics& b,
               const std::vector<Objective>& objectives);

/// For each row the index of a row on the front that dominates it (of several the first by
/// objectives, then by number), or -1: it is on the front. Failed rows: -2.
std::vector<std::int64_t> find_front(const std::vector<Row>& rows,
                                     const std::vector<Objective>& objectives);

}  // namespace bitpulse
