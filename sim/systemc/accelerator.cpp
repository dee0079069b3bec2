// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/accelerator.h"

#include <algorithm>
#include <string>

#include "models/error.h"
#include "sim/systemc/dram_image.h"

// The packaged kernel brings a main() that wants this symbol; ours is never called by it.
int sc_main(int, char*[]) { return 0; }

namespace bitpulse {

Accelerator::Accelerator(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
  dma_.memory.bind(memory);
  dma_.act.bind(act_.access);
  dma_.weight.bind(weight_.access);
  dma_.out.bind(out_.access);
  array_.act.bind(act_.access);
  array_.weight.bind(weight_.access);
  array_.sums.bind(accumulator_.access);
  vector_.act.bind(act_.access);
  vector_.out.bind(out_.access);
  vector_.sums.bind(accumulator_.access);
  for (UnitModule* unit : {static_cast<UnitModule*>(&dma_), static_cast<UnitModule*>(&array_),
                           static_cast<UnitModule*>(&vector_)}) {
    unit->completion.bind(sequencer_.completion);
  }
  sequencer_.dma.bind(dma_);
  sequencer_.array.bind(array_);
  sequencer_.vector.bind(vector_);
}

void Accelerator::debug_transport(tlm::tlm_command command, std::uint64_t address,
                                  std::uint8_t* bytes, std::size_t count) {
  constexpr std::size_t kChunk = std::size_t{1} << 20;
  for (std::size_t done = 0; done < count; done += kChunk) {
    const auto length = static_cast<unsigned int>(std::min(kChunk, count - done));
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address + done);
    payload.set_data_ptr(bytes + done);
    payload.set_data_length(length);
    payload.set_streaming_width(length);
    if (memory->transport_dbg(payload) != length) {
      throw Error(ErrorKind::kInternal, "memory: no debug access to " + std::to_string(length) +
                                            " bytes at address " + std::to_string(address + done));
    }
  }
}

RunResult Accelerator::run(const Program& program, const Operands& operands) {
  const bool has_values = operands.network != nullptr && operands.network->has_parameters;
  state_.program = &program;
  state_.network = has_values ? operands.network : nullptr;
  state_.keep_all_tensors = operands.keep_all_tensors;
  state_.epoch = sc_core::sc_time_stamp();
  state_.oldest_waiting = 0;
  state_.counters.assign(program.layers.size(), Counters{});

  const BufferSpec& buffers = program.machine.buffers;
  act_.reset(state_, buffers.act_kib);
  weight_.reset(state_, buffers.weight_kib);
  out_.reset(state_, buffers.out_kib);
  accumulator_.reset(state_, buffers.acc_kib, program.machine.array.acc_bits);
  dma_.reset(state_);
  array_.reset(state_);
  vector_.reset(state_);
  if (has_values) {
    write_operands(program, operands, [this](std::uint64_t address, std::vector<std::uint8_t>& b) {
      debug_transport(tlm::TLM_WRITE_COMMAND, address, b.data(), b.size());
    });
  }

  sequencer_.reset(state_);
  sc_core::sc_start();

  RunResult result;
  result.times = sequencer_.take_times();
  array_.check_finished();
  result.layers = std::move(state_.counters);
  result.has_values = has_values;
  if (has_values) {
    result.tensors = read_tensors(
        program, operands, [this](std::uint64_t address, std::vector<std::uint8_t>& b) {
          debug_transport(tlm::TLM_READ_COMMAND, address, b.data(), b.size());
        });
  }
  return result;
}

}  // namespace bitpulse
