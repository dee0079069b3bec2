// SPDX-License-Identifier: Apache-2.0
#pragma once

// Progress of a training on standard error: a bar on a terminal, otherwise a line every few
// seconds.

#include <chrono>
#include <cstdint>

namespace bitpulse {

class TrainProgress {
 public:
  /// first, total  of the steps; `first` have been done by earlier runs
  TrainProgress(std::int64_t first, std::int64_t total, std::int64_t steps_per_epoch);
  ~TrainProgress();
  TrainProgress(const TrainProgress&) = delete;
  TrainProgress& operator=(const TrainProgress&) = delete;

  /// `done` steps are finished; loss and share of right answers since the epoch began.
  void update(std::int64_t done, double loss, double top1);

 private:
  using Clock = std::chrono::steady_clock;
  void print(std::int64_t done, double loss, double top1);

  const bool is_terminal_;
  const std::int64_t first_, total_, steps_per_epoch_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point printed_ = start_;
};

}  // namespace bitpulse
