// SPDX-License-Identifier: Apache-2.0
#pragma once

// The SystemC machine: one module per block, TLM-2.0 to memory, real values through buffers. The
// kernel is global: one elaborated design per process, reset between programs.

#include <memory>

#include "sim/engine.h"

namespace bitpulse {

class ArrayBackend;

class SystemcEngine : public Engine {
 public:
  /// backend  executes the array's commands (sim/systemc/array_backend.h); null: the model alone
  explicit SystemcEngine(ArrayBackend* backend = nullptr) : backend_(backend) {}
  RunResult run(const Program& program, const Operands& operands) override;
  const char* name() const override { return "systemc"; }

 private:
  ArrayBackend* backend_;
};

}  // namespace bitpulse
