// SPDX-License-Identifier: Apache-2.0
#pragma once

// The vector unit: bias, requantization, activation, residual add and pooling, one command at a
// time, 4 + passes * ceil(elements / lanes) cycles (section 5). It reads sums from accumulator
// memory or codes from the act buffer, the identity from the out buffer, and writes packed codes
// to the out buffer.

#include <cstdint>
#include <systemc>

#include "sim/systemc/accumulator.h"
#include "sim/systemc/buffer.h"
#include "sim/systemc/unit.h"
#include "sim/systemc/vector_check.h"
#include "sim/systemc/vector_math.h"

namespace bitpulse {

class VectorUnit : public UnitModule {
 public:
  sc_core::sc_port<BufferIf> act{"act"};
  sc_core::sc_port<BufferIf> out{"out"};
  sc_core::sc_port<AccumulatorIf> sums{"sums"};

  explicit VectorUnit(const sc_core::sc_module_name& name) : UnitModule(name) {}

  /// From the next run on; null: the unit's own arithmetic alone.
  void set_backend(VectorBackend* backend) { backend_ = backend; }

  bool accepts() const override { return idle(); }
  std::uint64_t issue(CommandId id) override;

 private:
  void reset_unit() override;
  void begin(CommandId id) override;

  VectorMath math_;
  VectorBackend* backend_ = nullptr;
  VectorCheck check_;
  VectorRecord record_;       // of the command in progress, for the check
  std::uint64_t finish_ = 0;  // of the command in progress
};

}  // namespace bitpulse
