// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/limits.h"

#include <sys/resource.h>

#include <algorithm>
#include <thread>

namespace bitpulse {

int thread_count(const Arguments& arguments) {
  const auto threads = static_cast<int>(arguments.integer("threads", 0, 0, 1024));
  return threads > 0 ? threads
                     : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

void limit_memory(const Arguments& arguments) {
  if (!arguments.has("max-memory")) return;
  const std::int64_t mib = arguments.integer("max-memory", 0, 1, 1 << 24);
  // Private writable memory: heap, stacks and anonymous maps; not the program or mapped files.
  const rlimit limit{static_cast<rlim_t>(mib) << 20, static_cast<rlim_t>(mib) << 20};
  setrlimit(RLIMIT_DATA, &limit);
}

}  // namespace bitpulse
