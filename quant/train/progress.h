// SPDX-License-Identifier: Apache-2.0
#pragma once

// Progress of training and estimating on standard error: a bar on a terminal, otherwise a line
// every few seconds.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace bitpulse {

class TrainProgress {
 public:
  /// work   "train"
  /// unit   what is counted: "step"
  /// first  of `total`, done by earlier runs
  TrainProgress(const char* work, const char* unit, std::int64_t first, std::int64_t total);
  ~TrainProgress();
  TrainProgress(const TrainProgress&) = delete;
  TrainProgress& operator=(const TrainProgress&) = delete;

  /// `done` are finished; `details` ("loss 0.1, ") is asked for where something is printed.
  void update(std::int64_t done, const std::function<std::string()>& details = {});

 private:
  using Clock = std::chrono::steady_clock;
  void print(std::int64_t done, const std::string& details) const;

  const bool is_terminal_;
  const std::string work_, unit_;
  const std::int64_t first_, total_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point printed_ = start_;
};

}  // namespace bitpulse
