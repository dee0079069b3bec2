// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs vector commands on a backend beside the vector unit's own arithmetic and compares, command
// by command, what came out: cycles, the sums it found, every code and the number of saturations.

#include <cstdint>

#include "sim/systemc/vector_backend.h"

namespace bitpulse {

class VectorCheck {
 public:
  /// backend  null: none, nothing is checked
  void reset(VectorBackend* backend, const Program& program);
  bool active() const { return backend_ != nullptr; }

  /// errors  Error(kCheckFailed): the first difference, with layer, command, place, expected, found
  void run(const VectorJob& job, const VectorOutcome& expected) const;

 private:
  VectorBackend* backend_ = nullptr;
  const Program* program_ = nullptr;
};

}  // namespace bitpulse
