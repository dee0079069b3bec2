// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where and how a run happened: the only part of a report that may differ between two runs.

#include <chrono>
#include <cstdint>
#include <string>

namespace bitpulse {

struct Environment {
  std::string host;
  std::string time;  // UTC, ISO 8601
  int threads = 1;
  double wall_s = 0;
  std::uint64_t peak_rss_bytes = 0;
};

/// The environment of a run that began at `start`.
Environment observe_environment(std::chrono::steady_clock::time_point start, int threads);

}  // namespace bitpulse
