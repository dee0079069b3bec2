// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace bitpulse {
namespace {

constexpr std::chrono::milliseconds kBarPeriod{200};
constexpr std::chrono::milliseconds kLinePeriod{5000};
constexpr int kBarWidth = 30;

}  // namespace

Progress::Progress() : is_terminal_(isatty(STDERR_FILENO) != 0), watcher_(&Progress::watch, this) {}

Progress::~Progress() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_one();
  watcher_.join();
  if (printed_ && is_terminal_) std::fputs("\r\033[K", stderr);
}

void Progress::phase(const std::string& name, std::int64_t total) {
  const std::lock_guard lock(mutex_);
  name_ = name;
  total_ = total;
  done_ = 0;
  phase_start_ = Clock::now();
}

void Progress::update(std::int64_t done) {
  const std::lock_guard lock(mutex_);
  done_ = done;
}

void Progress::watch() {
  std::unique_lock lock(mutex_);
  const auto period = is_terminal_ ? kBarPeriod : kLinePeriod;
  while (!stop_.wait_for(lock, period, [this] { return stopping_; })) {
    if (name_.empty()) continue;
    print();
    printed_ = true;
  }
}

void Progress::print() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - phase_start_).count();
  std::string text = name_;
  if (total_ > 0) {
    const auto filled = static_cast<std::size_t>(std::min(done_, total_) * kBarWidth / total_);
    if (is_terminal_) {
      text += " [" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + ']';
    }
    text += ' ' + std::to_string(done_) + '/' + std::to_string(total_);
  }
  std::fprintf(stderr, is_terminal_ ? "\r%s %.0f s\033[K" : "%s %.0f s\n", text.c_str(), seconds);
}

}  // namespace bitpulse
