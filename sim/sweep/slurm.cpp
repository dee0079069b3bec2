// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/slurm.h"

#include <algorithm>
#include <sstream>

#include "models/text.h"

namespace bitpulse {

std::uint64_t shards_for(double total_seconds) {
  constexpr double kSecondsPerShard = 60, kMostShards = 1000;
  return static_cast<std::uint64_t>(std::clamp(total_seconds / kSecondsPerShard, 1.0, kMostShards));
}

std::string slurm_script(const SlurmOptions& options) {
  std::string job;  // sbatch reads it up to a blank
  for (const char c : options.name) job += std::isalnum(static_cast<unsigned char>(c)) ? c : '-';
  std::ostringstream text;
  text << "#!/bin/bash\n"
       << "# Runs a sweep as a job array, one shard per task. A task that starts again resumes "
          "from its\n"
       << "# database: Slurm requeues it when its node fails, it requeues itself when it is killed "
          "(three\n"
       << "# times), and all can be submitted again. When all are done:\n"
       << "#   " << shell_quoted(options.program) << " sweep merge "
       << shell_quoted(options.folder + "/all.db") << " " << shell_quoted(options.folder)
       << "/shard-*.db\n"
       << "#SBATCH --job-name=" << job << "\n"
       << "#SBATCH --array=1-" << options.shards;
  if (options.throttle > 0) text << "%" << options.throttle;
  text << "\n#SBATCH --requeue\n#SBATCH --open-mode=append\n"
       << "#SBATCH --ntasks=1\n#SBATCH --cpus-per-task=" << options.cpus << "\n"
       << "#SBATCH --mem=" << options.memory_mib << "M\n"
       << "#SBATCH --time=" << options.minutes << "\n"
       << "#SBATCH --output=slurm-%x-%a.log\n"
       << "set -euo pipefail\n"
       << "folder=" << shell_quoted(options.folder) << "\n"
       << "mkdir -p \"$folder\"\n"
       << "status=0\n"
       << shell_quoted(options.program) << " sweep run " << shell_quoted(options.sweep)
       << " \\\n  --db \"$folder/shard-$SLURM_ARRAY_TASK_ID.db\" --shard \"$SLURM_ARRAY_TASK_ID/"
       << options.shards << "\" \\\n  --jobs \"${SLURM_CPUS_PER_TASK:-1}\" || status=$?\n"
       << "if [ $status -gt 128 ] && [ \"${SLURM_RESTART_COUNT:-0}\" -lt 3 ]; then\n"
       << "  scontrol requeue \"$SLURM_JOB_ID\"\n"
       << "fi\n"
       << "exit $status\n";
  return text.str();
}

}  // namespace bitpulse
