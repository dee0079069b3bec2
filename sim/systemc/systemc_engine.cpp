// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/systemc_engine.h"

#include "sim/systemc/accelerator.h"
#include "sim/systemc/dram.h"

namespace bitpulse {
namespace {

/// The one elaborated design of the process.
struct Platform {
  Dram dram{"dram"};
  Accelerator accelerator{"accelerator"};
  Platform() { accelerator.memory.bind(dram.socket); }
};

Platform& platform() {
  // Never destroyed: the kernel's own static objects may go first.
  static Platform* const instance = new Platform;
  return *instance;
}

}  // namespace

RunResult SystemcEngine::run(const Program& program, const Operands& operands) {
  Platform& p = platform();
  const bool has_values = operands.network != nullptr && operands.network->has_parameters;
  p.dram.reset(program.machine, program.dram_bytes, has_values);
  p.accelerator.set_array_backend(array_);
  p.accelerator.set_vector_backend(vector_);
  return p.accelerator.run(program, operands);
}

}  // namespace bitpulse
