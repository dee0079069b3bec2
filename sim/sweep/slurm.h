// SPDX-License-Identifier: Apache-2.0
#pragma once

// The batch script of a sweep for Slurm: a job array of shards, safe to requeue, since a task that
// starts again resumes from its own database.

#include <cstdint>
#include <string>

namespace bitpulse {

struct SlurmOptions {
  std::string program, sweep, folder;  // absolute; one database per shard goes to `folder`
  std::string name;
  std::uint64_t shards = 1;
  std::uint64_t throttle = 0;  // tasks at a time; 0: as many as there are
  int cpus = 1;
  std::int64_t memory_mib = 512, minutes = 60;
};

/// As many shards as give each at least a minute's work, at most 1000.
std::uint64_t shards_for(double total_seconds);

std::string slurm_script(const SlurmOptions& options);

}  // namespace bitpulse
