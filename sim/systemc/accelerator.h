// SPDX-License-Identifier: Apache-2.0
#pragma once

// The machine without its DRAM: sequencer, dma, buffers, array, accumulator memory and vector unit,
// with one TLM-2.0 initiator socket to be bound to a memory (blocking transport that annotates its
// delay and does not wait, and debug transport for the contents). Nothing is elaborated per
// machine: geometry, dataflow and buffer sizes are state that each run sets anew, because a
// process has one SystemC kernel and that kernel one design.
//
//   dma --TLM--> memory       dma <-> act, weight, out buffers
//   act, weight -> array -> accumulator -> vector unit -> out;  act, out -> vector unit

#include <systemc>
#include <tlm>

#include "sim/engine.h"
#include "sim/systemc/accumulator.h"
#include "sim/systemc/array.h"
#include "sim/systemc/buffer.h"
#include "sim/systemc/dma.h"
#include "sim/systemc/sequencer.h"
#include "sim/systemc/vector_unit.h"

namespace bitpulse {

class Accelerator : public sc_core::sc_module {
 public:
  tlm::tlm_initiator_socket<> memory{"memory"};

  explicit Accelerator(const sc_core::sc_module_name& name);

  /// Runs a program to its end. The memory must hold addresses 0 .. program.dram_bytes - 1; with
  /// values (operands.network with parameters) its contents are written and read through the
  /// debug transport.
  ///
  /// errors  see Engine::run; Error(kInternal): hazards, memory errors, addresses outside a memory
  RunResult run(const Program& program, const Operands& operands);

  /// What executes array commands from the next run on, beside the array's own model.
  void set_array_backend(ArrayBackend* backend) { array_.set_backend(backend); }
  /// The same of vector commands.
  void set_vector_backend(VectorBackend* backend) { vector_.set_backend(backend); }

 private:
  void debug_transport(tlm::tlm_command command, std::uint64_t address, std::uint8_t* bytes,
                       std::size_t count);

  Sequencer sequencer_{"sequencer"};
  Dma dma_{"dma"};
  BufferModule act_{"act_buffer"}, weight_{"weight_buffer"}, out_{"out_buffer"};
  ArrayUnit array_{"array"};
  AccumulatorModule accumulator_{"accumulator"};
  VectorUnit vector_{"vector"};
  RunState state_;
};

}  // namespace bitpulse
