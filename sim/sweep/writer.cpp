// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/writer.h"

#include <chrono>

namespace bitpulse {
namespace {

constexpr std::chrono::milliseconds kInterval{50};

}  // namespace

RowWriter::RowWriter(SweepStore& store) : store_(store), thread_([this] { run(); }) {}

RowWriter::~RowWriter() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void RowWriter::rethrow() {
  if (failure_) std::rethrow_exception(failure_);
}

void RowWriter::add(Row row) {
  const std::lock_guard<std::mutex> lock(mutex_);
  rethrow();
  rows_.push_back(std::move(row));
}

void RowWriter::renumber(const std::string& key, std::uint64_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  rethrow();
  numbers_.emplace_back(key, id);
}

void RowWriter::commit(std::unique_lock<std::mutex>& lock) {
  std::vector<Row> rows;
  std::vector<std::pair<std::string, std::uint64_t>> numbers;
  rows.swap(rows_);
  numbers.swap(numbers_);
  lock.unlock();
  std::exception_ptr failure;
  try {
    store_.write(rows);
    store_.renumber(numbers);
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  if (failure && !failure_) failure_ = failure;
}

void RowWriter::run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_ && !failure_) {
    wake_.wait_for(lock, kInterval, [this] { return stopping_; });
    if (!stopping_) commit(lock);
  }
}

void RowWriter::finish() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  std::unique_lock<std::mutex> lock(mutex_);
  rethrow();
  commit(lock);
  rethrow();
}

}  // namespace bitpulse
