// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs array commands on a clocked backend beside the array unit's own model and compares, command
// by command, what came out: start, finish, every sum and the number of overflows.

#include <cstdint>
#include <map>
#include <string>

#include "sim/systemc/array_backend.h"

namespace bitpulse {

class ArrayCheck {
 public:
  /// backend  null: none, nothing is checked
  void reset(ArrayBackend* backend, const Program& program);
  bool active() const { return backend_ != nullptr; }
  bool busy() const { return active() && backend_->busy(); }

  /// Hands a command to the backend; `expected` is what the model says of it.
  void submit(ArrayJob job, ArrayOutcome expected, std::uint64_t cycle);
  /// Clocks the backend once and compares what has finished with this edge.
  ///
  /// errors  Error(kCheckFailed): the first difference, with layer, command, place, expected, found
  void step();
  /// After the last command.
  ///
  /// errors  Error(kCheckFailed): a command that the backend has not executed
  void finish() const;

 private:
  [[noreturn]] void fail(CommandId id, const std::string& what) const;
  void compare(const ArrayOutcome& expected, const ArrayOutcome& found) const;

  ArrayBackend* backend_ = nullptr;
  const Program* program_ = nullptr;
  std::map<CommandId, ArrayOutcome> expected_;
};

}  // namespace bitpulse
