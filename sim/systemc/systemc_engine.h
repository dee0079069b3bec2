// SPDX-License-Identifier: Apache-2.0
#pragma once

// The SystemC machine: one module per block, TLM-2.0 to memory, real values through buffers. The
// kernel is global: one elaborated design per process, reset between programs.

#include <memory>

#include "sim/engine.h"

namespace bitpulse {

class SystemcEngine : public Engine {
 public:
  RunResult run(const Program& program, const Operands& operands) override;
  const char* name() const override { return "systemc"; }
};

}  // namespace bitpulse
