// SPDX-License-Identifier: Apache-2.0
#pragma once

// The SystemC machine with Verilated array, accumulator memory and requantizer in the place of the
// SystemC ones. Start, finish, sums and overflows of every array command and cycles, codes and
// saturations of every vector command are compared with SystemC's as they come.

#include <memory>

#include "sim/engine.h"
#include "sim/rtl/array_model.h"

namespace bitpulse {

class RtlEngine : public Engine {
 public:
  explicit RtlEngine(rtl::ArrayMaker make = rtl::make_array_model);
  ~RtlEngine() override;
  /// operands must carry values: RTL has no timing without them.
  ///
  /// errors  Engine::run's; Error(kInvalidInput): an array that was not built, no values;
  ///         Error(kCheckFailed): RTL and SystemC differ, with the first difference
  RunResult run(const Program& program, const Operands& operands) override;
  const char* name() const override { return "rtl"; }

  /// From the next run on: whether the array's bottom edge is compared with the register-level
  /// model's in every cycle. A difference is a DivergenceError then, which names cycle and PE.
  void set_lockstep(bool lockstep);

  /// Clock cycles the array was stepped so far.
  std::uint64_t stepped() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bitpulse
