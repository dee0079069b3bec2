// SPDX-License-Identifier: Apache-2.0
#pragma once

// The SystemC machine: one module per block, TLM-2.0 to memory, real values through buffers. The
// kernel is global: one elaborated design per process, reset between programs.

#include <memory>

#include "sim/engine.h"

namespace bitpulse {

class ArrayBackend;
class VectorBackend;

class SystemcEngine : public Engine {
 public:
  /// array   also executes the array's commands (sim/systemc/array_backend.h); null: nothing does
  /// vector  the same of the vector unit's (sim/systemc/vector_backend.h)
  explicit SystemcEngine(ArrayBackend* array = nullptr, VectorBackend* vector = nullptr)
      : array_(array), vector_(vector) {}
  RunResult run(const Program& program, const Operands& operands) override;
  const char* name() const override { return "systemc"; }

 private:
  ArrayBackend* array_;
  VectorBackend* vector_;
};

}  // namespace bitpulse
