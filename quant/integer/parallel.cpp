// SPDX-License-Identifier: Apache-2.0
#include "quant/integer/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace bitpulse {

void parallel_for(int threads, std::int64_t count,
                  const std::function<void(std::int64_t, int)>& work) {
  const int workers =
      static_cast<int>(std::clamp<std::int64_t>(threads, 1, std::max<std::int64_t>(count, 1)));
  if (workers == 1) {
    for (std::int64_t i = 0; i < count; ++i) work(i, 0);
    return;
  }
  std::atomic<std::int64_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;
  std::int64_t error_item = count;
  const auto run = [&](int worker) {
    for (std::int64_t i = next++; i < count; i = next++) {
      try {
        work(i, worker);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex);
        if (i < error_item) error = std::current_exception(), error_item = i;
        next = count;
      }
    }
  };
  std::vector<std::thread> pool;
  try {
    for (int worker = 1; worker < workers; ++worker) pool.emplace_back(run, worker);
  } catch (const std::system_error&) {
    // The system gives no more threads: those that there are share the items.
  }
  run(0);
  for (std::thread& thread : pool) thread.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace bitpulse
