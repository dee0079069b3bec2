// SPDX-License-Identifier: Apache-2.0
#pragma once

// Closed forms for array commands and one pass over the queues: whole networks in a millisecond.

#include "sim/engine.h"

namespace bitpulse {

class FastEngine : public Engine {
 public:
  RunResult run(const Program& program, const Operands& operands = {}) override;
  const char* name() const override { return "fast"; }
  /// Only the last finish: what the compiler compares.
  static std::uint64_t cycles(const Program& program);
};

}  // namespace bitpulse
