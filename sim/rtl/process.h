// SPDX-License-Identifier: Apache-2.0
#pragma once

// Programs that this one starts: their arguments are handed over as they are, no shell reads them.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace bitpulse {

/// A running program. Its end is waited for, at the latest when this object goes.
class Process {
 public:
  /// `words[0]` is looked up along PATH. Output and errors go to the open file `output`; there is
  /// no input.
  ///
  /// errors  kIo: the program cannot be started
  Process(const std::vector<std::string>& words, int output);
  ~Process();
  Process(Process&& other) noexcept;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Its exit status, or 128 + signal.
  int wait();

 private:
  pid_t id_ = 0;  // 0: waited for
};

/// What a program prints; nothing where it cannot be started or fails.
std::optional<std::string> output_of(const std::vector<std::string>& words);

}  // namespace bitpulse
