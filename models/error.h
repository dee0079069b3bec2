// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one exception type of the project. Its text names the file (or layer), the place, what was
// found and what was expected; its kind is the exit status of the command line (only main turns
// one into the other).

#include <stdexcept>
#include <string>

namespace bitpulse {

enum class ErrorKind {
  kCheckFailed = 1,   // ran, and a check failed (engines disagree, budget missed)
  kUsage = 2,         // wrong command line
  kInvalidInput = 3,  // a file or value is wrong
  kLimit = 4,         // input refused by a limit (size, depth, memory)
  kIo = 5,            // disk full, permission, unreadable file
  kInternal = 70,     // an identity does not hold: a bug of ours
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace bitpulse
