// SPDX-License-Identifier: Apache-2.0
#pragma once

// Closed forms for array commands and one pass over the queues: whole networks in a millisecond.

#include <memory>

#include "sim/command_timer.h"
#include "sim/engine.h"

namespace bitpulse {

class FastEngine : public Engine {
 public:
  RunResult run(const Program& program, const Operands& operands = {}) override;
  const char* name() const override { return "fast"; }
  /// Only the last finish.
  static std::uint64_t cycles(const Program& program);
  /// The same closed forms command by command, for the compiler. Keeps a reference.
  static std::unique_ptr<CommandTimer> timer(const Machine& machine);
};

}  // namespace bitpulse
