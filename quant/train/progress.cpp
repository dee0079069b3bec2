// SPDX-License-Identifier: Apache-2.0
#include "quant/train/progress.h"

#include <unistd.h>

#include <cstdio>

namespace bitpulse {

namespace {

constexpr std::chrono::milliseconds kBarPeriod{200};
constexpr std::chrono::milliseconds kLinePeriod{5000};
constexpr int kBarWidth = 24;

}  // namespace

TrainProgress::TrainProgress(const char* work, const char* unit, std::int64_t first,
                             std::int64_t total)
    : is_terminal_(isatty(STDERR_FILENO) != 0),
      work_(work),
      unit_(unit),
      first_(first),
      total_(total) {}

TrainProgress::~TrainProgress() {
  if (is_terminal_) std::fputs("\r\033[K", stderr);
}

void TrainProgress::update(std::int64_t done, const std::function<std::string()>& details) {
  const Clock::time_point now = Clock::now();
  if (done < total_ && now - printed_ < (is_terminal_ ? kBarPeriod : kLinePeriod)) return;
  printed_ = now;
  print(done, details ? details() : "");
}

void TrainProgress::print(std::int64_t done, const std::string& details) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const double each = seconds / static_cast<double>(done - first_);
  const auto left = static_cast<long>(each * static_cast<double>(total_ - done));
  std::string bar;
  if (is_terminal_) {
    const auto filled = static_cast<std::size_t>(done * kBarWidth / total_);
    bar = " [" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + ']';
  }
  std::fprintf(stderr, "%s%s%s %s %lld/%lld, %s%.2f s/%s, %ld:%02ld left%s",
               is_terminal_ ? "\r" : "", work_.c_str(), bar.c_str(), unit_.c_str(),
               static_cast<long long>(done), static_cast<long long>(total_), details.c_str(), each,
               unit_.c_str(), left / 60, left % 60, is_terminal_ ? "\033[K" : "\n");
}

}  // namespace bitpulse
