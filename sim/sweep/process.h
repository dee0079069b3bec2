// SPDX-License-Identifier: Apache-2.0
#pragma once

// Another program, bounded in time, its output kept: how the engines that compute values run, whose
// kernel is one per process.

#include <string>
#include <vector>

namespace bitpulse {

struct ProcessOutcome {
  int status = 0;  // exit status, 128 + signal
  bool timed_out = false;
  std::string out, err;
};

/// Runs words[0] with the rest; killed after `timeout_s` and when this thread ends.
///
/// errors  kIo: no process to be had
ProcessOutcome run_process(const std::vector<std::string>& words, double timeout_s);

/// "signal 11 (Segmentation fault)"
std::string signal_text(int signal);

}  // namespace bitpulse
