// SPDX-License-Identifier: Apache-2.0
#pragma once

// Progress of long work on standard error: a bar on a terminal, otherwise one plain line every few
// seconds. Work that ends at once prints nothing.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace bitpulse {

class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Begins a phase of `total` steps; 0: its length is not known, the elapsed time is shown.
  void phase(const std::string& name, std::int64_t total = 0);
  /// `done` of the phase's steps are finished. Any thread.
  void update(std::int64_t done);

 private:
  using Clock = std::chrono::steady_clock;
  void watch();
  void print() const;

  const bool is_terminal_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  bool printed_ = false;
  std::string name_;
  std::int64_t done_ = 0, total_ = 0;
  Clock::time_point phase_start_ = Clock::now();
  std::thread watcher_;
};

}  // namespace bitpulse
