// SPDX-License-Identifier: Apache-2.0
#pragma once

// A sweep: typed form of a sweep JSON ("bitpulse/sweep/1"). Workloads x machines x axes span a grid
// whose points are numbered in mixed radix, the workload slowest, the last axis fastest; a strategy
// chooses which of them are run. The number of a point never depends on the strategy.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/io/json.h"

namespace bitpulse {

/// A place in the workload or machine, "machine:/array/rows".
struct SweepKey {
  bool in_workload = false;
  std::string pointer;
  std::string text() const { return (in_workload ? "workload:" : "machine:") + pointer; }
};

/// Keys that take the same value, and the values as JSON text.
struct SweepAxis {
  std::vector<SweepKey> keys;
  std::vector<std::string> values;
};

/// What is compared. Accuracy is maximized, the others minimized.
enum class Objective : std::uint8_t { kCycles, kTimeMs, kEnergyPj, kAreaMm2, kEdp, kAccuracy };
inline constexpr const char* kObjectiveNames[] = {"cycles",   "time_ms", "energy_pj",
                                                  "area_mm2", "edp",     "accuracy"};

enum class StrategyKind : std::uint8_t { kGrid, kRandom, kLatinHypercube, kSobol, kNsga2 };
struct SweepStrategy {
  StrategyKind kind = StrategyKind::kGrid;
  std::int64_t points = 0;  // random, latin_hypercube, sobol
  std::uint64_t seed = 1;
  std::int64_t population = 40, generations = 20;  // nsga2
};

struct SweepSpec {
  std::string name, file;
  std::vector<std::string> workloads, machines;  // as written
  std::vector<std::string> workload_files, machine_files;
  std::vector<SweepAxis> axes;
  std::vector<std::string> constraints;
  std::vector<Objective> objectives;
  SweepStrategy strategy;
  std::string engine = "fast";
  std::string verify;       // engine that runs the Pareto set again; "" none
  std::int64_t images = 0;  // for accuracy

  /// Whether points run in threads; else each is a process of its own.
  bool in_threads() const { return engine == "fast" && images == 0; }

  /// Choices per dimension: workloads, machines, axes.
  std::vector<std::uint64_t> sizes() const;
  std::uint64_t grid_points() const;
  /// The choice in each dimension of grid point `id`.
  std::vector<std::uint32_t> choices(std::uint64_t id) const;
  std::uint64_t id_of(const std::vector<std::uint32_t>& choices) const;
};

inline constexpr std::uint64_t kMaxSweepPoints = 1'000'000;

/// errors  kInvalidInput with file, JSON pointer, found and expected; kLimit: too many points
SweepSpec read_sweep(const JsonValue& root);

}  // namespace bitpulse
