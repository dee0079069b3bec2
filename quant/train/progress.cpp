// SPDX-License-Identifier: Apache-2.0
#include "quant/train/progress.h"

#include <unistd.h>

#include <cstdio>
#include <string>

namespace bitpulse {

namespace {

constexpr std::chrono::milliseconds kBarPeriod{200};
constexpr std::chrono::milliseconds kLinePeriod{5000};
constexpr int kBarWidth = 24;

}  // namespace

TrainProgress::TrainProgress(std::int64_t first, std::int64_t total, std::int64_t steps_per_epoch)
    : is_terminal_(isatty(STDERR_FILENO) != 0),
      first_(first),
      total_(total),
      steps_per_epoch_(steps_per_epoch) {}

TrainProgress::~TrainProgress() {
  if (is_terminal_) std::fputs("\r\033[K", stderr);
}

void TrainProgress::update(std::int64_t done, double loss, double top1) {
  const Clock::time_point now = Clock::now();
  if (done < total_ && now - printed_ < (is_terminal_ ? kBarPeriod : kLinePeriod)) return;
  printed_ = now;
  print(done, loss, top1);
}

void TrainProgress::print(std::int64_t done, double loss, double top1) {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const double per_step = seconds / static_cast<double>(done - first_);
  const auto left = static_cast<long>(per_step * static_cast<double>(total_ - done));
  std::string bar;
  if (is_terminal_) {
    const auto filled = static_cast<std::size_t>(done * kBarWidth / total_);
    bar = " [" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + ']';
  }
  std::fprintf(stderr,
               "%strain%s step %lld/%lld, epoch %.1f, loss %.4f, top-1 %.2f %%, %.2f s/step, "
               "%ld:%02ld left%s",
               is_terminal_ ? "\r" : "", bar.c_str(), static_cast<long long>(done),
               static_cast<long long>(total_),
               static_cast<double>(done) / static_cast<double>(steps_per_epoch_), loss, 100 * top1,
               per_step, left / 60, left % 60, is_terminal_ ? "\033[K" : "\n");
}

}  // namespace bitpulse
