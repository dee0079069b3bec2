// SPDX-License-Identifier: Apache-2.0
#pragma once

// A point of a sweep and what became of it: one row of the store. The table of metrics gives each
// its name and unit; database, CSV and JSON are written from it.

#include <array>
#include <cstdint>
#include <string>

namespace bitpulse {

enum class PointStatus : std::uint8_t { kDone, kFailed };
inline constexpr const char* kPointStatusNames[] = {"done", "failed"};

struct PointMetrics {
  double cycles = 0;  // an integer below 2^53
  double time_ms = 0, energy_pj = 0, area_mm2 = 0;
  double edp = 0;  // energy in pJ times time in ms
  double utilization = 0, array_utilization = 0, gops = 0;
  double macs = 0, dram_bytes = 0;
  double accuracy = -1;  // share of images; -1: not measured
};

struct MetricInfo {
  double PointMetrics::*member;
  const char* name;
  const char* meaning;
};
inline constexpr std::array<MetricInfo, 11> kMetricTable = {{
    {&PointMetrics::cycles, "cycles", "of the whole run"},
    {&PointMetrics::time_ms, "time_ms", "milliseconds at the machine's clock"},
    {&PointMetrics::energy_pj, "energy_pj", "picojoules, DRAM included"},
    {&PointMetrics::area_mm2, "area_mm2", "square millimetres, DRAM excluded"},
    {&PointMetrics::edp, "edp", "energy_pj times time_ms"},
    {&PointMetrics::utilization, "utilization", "share of PE-cycles with work"},
    {&PointMetrics::array_utilization, "array_utilization", "the same while the array is busy"},
    {&PointMetrics::gops, "gops", "two operations per multiply-accumulate"},
    {&PointMetrics::macs, "macs", "multiply-accumulates"},
    {&PointMetrics::dram_bytes, "dram_bytes", "bytes read from and written to DRAM"},
    {&PointMetrics::accuracy, "accuracy", "share of images classified right; -1: not measured"},
}};

/// What identifies a point and says it to people.
struct PointIdentity {
  std::uint64_t id = 0;  // number in the sweep's grid
  std::string key;       // SHA-256 of effective configuration, file contents, model version
  std::string workload, machine;
  std::string parameters;  // JSON object: axis key -> value
  std::string scope;       // points of one scope compete in a Pareto front
};

struct Row {
  PointIdentity point;
  PointStatus status = PointStatus::kDone;
  std::string reason;  // of a failed point
  std::string engine;
  PointMetrics metrics;  // of a point that is done
  std::string verified;  // engine that ran it again and found the same cycles; "" none
};

}  // namespace bitpulse
