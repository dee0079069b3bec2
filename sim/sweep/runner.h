// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs points into a store. A worker process runs them in threads; this process only watches. Where
// the worker dies, runs out of memory, or a point takes too long, the points that were in flight
// run again one by one, each in a worker of its own; one that fails there, too, is stored as failed
// with the reason, and the rest goes on.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/sweep/evaluator.h"
#include "sim/sweep/row.h"

namespace bitpulse {

struct SweepRunOptions {
  int jobs = 1;
  double timeout_s = 600;       // per point
  std::int64_t memory_mib = 0;  // of the worker; 0: no ceiling
  std::uint64_t shard = 0, shards = 1;
  bool retry_failed = false;
  std::function<void(std::uint64_t done)> progress;  // now and then, of all points given
};

struct SweepSummary {
  std::uint64_t ran = 0;        // finished now
  std::uint64_t failed = 0;     // of those that ran
  std::uint64_t stored = 0;     // had been finished before
  std::uint64_t invalid = 0;    // refused by a reader or a constraint
  std::uint64_t elsewhere = 0;  // of another shard
  std::uint64_t restarts = 0;   // workers lost
};

/// What a point costs; a thrown Error is why the point failed. Called in the worker, by any thread.
using EvaluatePoint = std::function<PointMetrics(std::uint64_t id)>;

/// Runs the points of this shard that `store` does not have. The store is not to be open here.
///
/// errors  kIo: the store cannot be written; what had been committed is there
SweepSummary run_points(Evaluator& evaluator, const std::vector<std::uint64_t>& ids,
                        const std::string& store, const EvaluatePoint& evaluate,
                        const SweepRunOptions& options);

}  // namespace bitpulse
