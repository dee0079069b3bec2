// SPDX-License-Identifier: Apache-2.0
#include "sim/report/environment.h"

#include <sys/resource.h>
#include <sys/utsname.h>

#include <ctime>

namespace bitpulse {

Environment observe_environment(std::chrono::steady_clock::time_point start, int threads) {
  Environment environment;
  utsname names{};
  if (uname(&names) == 0) environment.host = names.nodename;
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  char text[32] = "";
  if (gmtime_r(&now, &utc) != nullptr) std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  environment.time = text;
  environment.threads = threads;
  environment.wall_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    environment.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;  // from KiB
  }
  return environment;
}

}  // namespace bitpulse
