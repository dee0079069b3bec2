// SPDX-License-Identifier: Apache-2.0
// The TLM-2.0 border: our DRAM under other initiators, our DMA over other memories. The kernel
// takes one design per process, so this program has its own.
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstring>
#include <systemc>

#include "models/error.h"
#include "quant/integer/executor.h"
#include "sim/cosim/random_values.h"
#include "sim/fast/fast_engine.h"
#include "sim/schedule/compile.h"
#include "sim/systemc/accelerator.h"
#include "sim/systemc/dram.h"
#include "testbench/catch.h"
#include "testbench/sim/schedule/random_network.h"

namespace bitpulse {
namespace {

constexpr unsigned kWordBytes = 4;

/// A memory that knows nothing of DmaExtension: each transaction takes 7 ns and 1 ns per word.
class WordMemory : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<WordMemory> socket{"socket"};

  explicit WordMemory(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    socket.register_b_transport(this, &WordMemory::b_transport);
    socket.register_transport_dbg(this, &WordMemory::transport_dbg);
  }

  std::vector<std::uint8_t> bytes;
  std::uint64_t transactions = 0;

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    ++transactions;
    if (transport_dbg(payload) == 0) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    delay += cycles_to_time(7 + payload.get_data_length() / kWordBytes);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  unsigned int transport_dbg(tlm::tlm_generic_payload& payload) {
    const std::uint64_t address = payload.get_address();
    const unsigned int length = payload.get_data_length();
    if (address + length > bytes.size()) return 0;
    if (payload.is_read()) {
      std::memcpy(payload.get_data_ptr(), bytes.data() + address, length);
    } else {
      std::memcpy(bytes.data() + address, payload.get_data_ptr(), length);
    }
    return length;
  }
};

class Design : public sc_core::sc_module {
 public:
  Dram dram{"dram"};
  tlm_utils::simple_initiator_socket<Design> tester{"tester"};
  WordMemory words{"words"};
  Accelerator accelerator{"accelerator"};
  explicit Design(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    tester.bind(dram.socket);
    accelerator.memory.bind(words.socket);
  }
};

Design& design() {
  static Design* const instance = new Design("design");
  // Elaborates; sockets can be used from then on.
  static const bool started = (sc_core::sc_start(sc_core::SC_ZERO_TIME), true);
  (void)started;
  return *instance;
}

struct Answer {
  tlm::tlm_response_status status;
  double ns;
};

Answer transfer(tlm::tlm_command command, std::uint64_t address, std::vector<std::uint8_t>& data,
                DmaExtension* extension = nullptr, double delay_ns = 0) {
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_ptr(data.data());
  payload.set_data_length(static_cast<unsigned int>(data.size()));
  payload.set_streaming_width(static_cast<unsigned int>(data.size()));
  if (extension != nullptr) payload.set_extension(extension);
  sc_core::sc_time delay(delay_ns, sc_core::SC_NS);
  design().tester->b_transport(payload, delay);
  if (extension != nullptr) payload.clear_extension(extension);
  return {payload.get_response_status(), delay.to_seconds() * 1e9};
}

Machine fixed_machine() {
  Machine machine;
  machine.dram.bytes_per_cycle = 8;
  machine.dram.latency_cycles = 20;
  return machine;
}

TEST_CASE("a transaction without an extension takes one latency and its bytes", "[systemc][tlm]") {
  design().dram.reset(fixed_machine(), 1024, true);
  std::vector<std::uint8_t> data(33, 7);
  const Answer write = transfer(tlm::TLM_WRITE_COMMAND, 100, data);
  CHECK(write.status == tlm::TLM_OK_RESPONSE);
  CHECK(write.ns == Approx(20 + 5));
  CHECK(transfer(tlm::TLM_WRITE_COMMAND, 100, data, nullptr, 11).ns == Approx(11 + 20 + 5));
  std::vector<std::uint8_t> back(35);
  transfer(tlm::TLM_READ_COMMAND, 99, back);
  CHECK(back.front() == 0);
  CHECK(back[1] == 7);
  CHECK(back[33] == 7);
  CHECK(back.back() == 0);
}

TEST_CASE("the runs of one command share its latency", "[systemc][tlm]") {
  design().dram.reset(fixed_machine(), 1024, false);
  std::vector<std::uint8_t> data(5);
  DmaExtension command;
  command.command_bytes = 15;
  command.last = false;
  transfer(tlm::TLM_READ_COMMAND, 0, data, &command);
  command.first = false;
  transfer(tlm::TLM_READ_COMMAND, 64, data, &command);
  command.last = true;
  CHECK(transfer(tlm::TLM_READ_COMMAND, 512, data, &command).ns == Approx(20 + 2));
}

TEST_CASE("the memory refuses what it does not have", "[systemc][tlm]") {
  design().dram.reset(fixed_machine(), 64, true);
  std::vector<std::uint8_t> data(8);
  CHECK(transfer(tlm::TLM_READ_COMMAND, 56, data).status == tlm::TLM_OK_RESPONSE);
  CHECK(transfer(tlm::TLM_READ_COMMAND, 57, data).status == tlm::TLM_ADDRESS_ERROR_RESPONSE);
  CHECK(transfer(tlm::TLM_WRITE_COMMAND, ~std::uint64_t{0}, data).status ==
        tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST_CASE("another memory model gives the same integers in its own time", "[systemc][tlm]") {
  Design& d = design();
  int compared = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    NetworkBuilder b = random_value_network(seed);
    RandomSource random(seed);
    Machine machine = random_machine(random);
    machine.vector.rounding = b.network.rounding;
    Program program;
    try {
      program = compile(b.network, machine, {}, FastEngine::timer);
    } catch (const Error&) {
      continue;  // no tile fits
    }
    ++compared;
    const TensorCodes inputs = b.random_inputs(1);
    ExecuteOptions options;
    for (const LayerPlan& plan : program.layers) {
      options.accumulation.emplace_back();
      for (const WidthGroup& group : plan.width_groups) {
        options.accumulation.back().emplace_back(group.weight_bits, group.order);
      }
    }
    Operands operands;
    operands.network = &b.network;
    operands.inputs = &inputs;
    d.words.bytes.assign(program.dram_bytes, 0);
    d.words.transactions = 0;
    const RunResult result = d.accelerator.run(program, operands);
    const TensorCodes expected = execute(b.network, inputs, 1, options).tensors;
    for (const NetworkOutput& output : b.network.outputs) {
      const auto t = static_cast<std::size_t>(output.tensor);
      REQUIRE(result.tensors[t] == expected[t]);
    }
    // Every transaction pays its 7 cycles, one after the other.
    std::uint64_t dma_cycles = 0;
    for (CommandId id = 0; id < program.commands.size(); ++id) {
      if (program.commands[id].unit != Unit::kDma) continue;
      dma_cycles += result.times[id].finish - result.times[id].start;
    }
    CHECK(dma_cycles >= 7 * d.words.transactions);
  }
  CHECK(compared > 30);
}

TEST_CASE("an address error of the memory ends the run with the command that met it",
          "[systemc][tlm]") {
  Design& d = design();
  Program program;
  program.machine = fixed_machine();
  program.layers.resize(1);
  program.dma.resize(1);
  program.dma[0].bytes = 16;
  program.dma[0].pattern_count = 1;
  program.patterns.resize(1);
  program.patterns[0].dram_bit = 100 * 8;
  program.patterns[0].run_bits = 16 * 8;
  program.commands.resize(1);
  d.words.bytes.assign(110, 0);
  try {
    d.accelerator.run(program, {});
    FAIL("expected an error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInternal);
    const std::string text = error.what();
    CAPTURE(text);
    CHECK(text.find("command 0") != std::string::npos);
    CHECK(text.find("TLM_ADDRESS_ERROR_RESPONSE") != std::string::npos);
    CHECK(text.find("address 100") != std::string::npos);
  }
  d.words.bytes.assign(116, 0);
  CHECK(d.accelerator.run(program, {}).times[0].finish == 7 + 4);
}

}  // namespace
}  // namespace bitpulse
