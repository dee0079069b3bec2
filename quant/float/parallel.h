// SPDX-License-Identifier: Apache-2.0
#pragma once

// Independent tasks on a few threads. Results must not depend on who runs what: tasks write to
// places of their own, and each is numerically the same on any thread.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace bitpulse {

/// Runs task(0) .. task(count - 1) on up to `threads` threads, the caller among them; the first
/// exception ends the rest and is thrown to the caller.
template <class Task>
void parallel_for(int threads, std::int64_t count, const Task& task) {
  if (threads <= 1 || count <= 1) {
    for (std::int64_t i = 0; i < count; ++i) task(i);
    return;
  }
  std::atomic<std::int64_t> next{0};
  std::exception_ptr error;
  std::mutex error_mutex;
  const auto work = [&] {
    try {
      for (std::int64_t i = next++; i < count; i = next++) task(i);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(error_mutex);
      if (!error) error = std::current_exception();
      next = count;
    }
  };
  std::vector<std::thread> helpers;
  for (std::int64_t t = 1; t < std::min<std::int64_t>(threads, count); ++t)
    helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace bitpulse
