// SPDX-License-Identifier: Apache-2.0
#pragma once

// A store as CSV and JSON: the same bytes for the same points, whatever order they were run in.

#include <cstdint>
#include <string>
#include <vector>

#include "sim/sweep/row.h"

namespace bitpulse {

class SweepStore;

/// One row per point; columns: id, status, workload, machine, one per axis key, the metrics,
/// engine, verified, reason, key.
std::string points_csv(const std::vector<Row>& rows);
/// The same with "front" (1 or 0) and "dominated_by" (a point's id) after the id.
std::string front_csv(const std::vector<Row>& rows, const std::vector<std::int64_t>& dominated_by);
/// {"schema": "bitpulse/sweep-points/1", "sweep": the sweep JSON, "points": [...]}
std::string points_json(const SweepStore& store);

/// "resnet18-w8a8 on int8-32x32-ws, machine:/array/rows=8"
std::string describe(const PointIdentity& point);

}  // namespace bitpulse
