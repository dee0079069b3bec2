// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/signals.h"

#include <csignal>
#include <cstdlib>
#include <thread>

namespace bitpulse {
namespace {

std::mutex commit_mutex;

/// A signal that the parent had ignored (nohup, a shell's background job) stays ignored.
bool is_ignored(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

void install_signal_watch() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : {SIGINT, SIGTERM}) {
    if (!is_ignored(signal)) sigaddset(&watched, signal);
  }
  pthread_sigmask(SIG_BLOCK, &watched, nullptr);
  std::thread([watched] {
    int signal = 0;
    if (sigwait(&watched, &signal) != 0) return;
    const auto lock = commit_lock();
    std::_Exit(128 + signal);
  }).detach();
}

std::unique_lock<std::mutex> commit_lock() { return std::unique_lock<std::mutex>(commit_mutex); }

}  // namespace bitpulse
