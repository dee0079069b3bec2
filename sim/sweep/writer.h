// SPDX-License-Identifier: Apache-2.0
#pragma once

// Commits rows behind the back of those who compute them: a thread of its own writes what has
// gathered every 50 ms, so a finished point is durable a twentieth of a second later and the cost
// of a commit is shared.

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "sim/sweep/store.h"

namespace bitpulse {

class RowWriter {
 public:
  explicit RowWriter(SweepStore& store);
  ~RowWriter();  // drops what finish() has not written
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;

  /// Any thread. errors  what a commit has thrown since
  void add(Row row);
  void renumber(const std::string& key, std::uint64_t id);
  /// Commits the rest.
  void finish();

 private:
  void run();
  void commit(std::unique_lock<std::mutex>& lock);
  void rethrow();

  SweepStore& store_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Row> rows_;
  std::vector<std::pair<std::string, std::uint64_t>> numbers_;
  std::exception_ptr failure_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace bitpulse
