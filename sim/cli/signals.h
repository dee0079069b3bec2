// SPDX-License-Identifier: Apache-2.0
#pragma once

// SIGINT and SIGTERM end the process at once with 130 or 143, but never in the middle of writing
// results: a thread of its own waits for the signals, and for the writer to finish.

#include <mutex>

namespace bitpulse {

/// Call before any thread starts: all threads inherit the blocked signals.
void install_signal_watch();

/// Hold while files or the final document are written.
std::unique_lock<std::mutex> commit_lock();

}  // namespace bitpulse
