// SPDX-License-Identifier: Apache-2.0
// Tensors that stay in the activation buffer: what moves then, what it costs, and that it never
// costs more than going through DRAM.

#include "sim/schedule/keep.h"

#include <set>

#include "models/error.h"
#include "models/nets/nets.h"
#include "quant/lower.h"
#include "sim/cosim/random_values.h"
#include "sim/fast/fast_engine.h"
#include "sim/memory/dram_timing.h"
#include "sim/schedule/check.h"
#include "sim/schedule/compile.h"
#include "sim/timeline.h"
#include "testbench/catch.h"
#include "testbench/sim/schedule/random_network.h"

namespace bitpulse {
namespace {

/// Two 1x1 convolutions of 16 channels over 8x8 pixels, 8 bits: 1 KiB per tensor. The second adds
/// the input of the first or, `adds_middle`, its own input.
IntegerNetwork two_layers(bool adds = false, bool adds_middle = false) {
  NetworkBuilder b(1);
  const TensorId in = b.input({16, 8, 8}, {8, true});
  b.conv(in, 16, Window{}, 1, {8});
  const TensorId middle = b.store_new({8, true}, {});
  b.conv(middle, 16, Window{}, 1, {8});
  if (adds) b.residual(Residual::Kind::kStream16, adds_middle ? middle : in, 1, 0, {8, true});
  b.output(b.store_new({8, true}, {}));
  return b.network;
}

Machine keeping_machine() {
  Machine machine;
  machine.name = "keeping";
  machine.array.rows = machine.array.cols = 16;
  machine.buffers = {4, 4, 4, 8};
  machine.keep_on_chip = true;
  return machine;
}

Program compiled(const IntegerNetwork& network, const Machine& machine,
                 const CompileOptions& options = {}) {
  return compile(network, machine, options, FastEngine::timer);
}

struct Run {
  std::uint64_t cycles = 0, dram_bytes = 0;
  Counters counters;
};
Run run_checked(const Program& program) {
  const RunResult result = FastEngine().run(program);
  const Timeline timeline = account(program, result.times);
  check_identities(program, result, timeline);
  Run run;
  run.cycles = timeline.cycles;
  for (const Counters& layer : result.layers) run.counters += layer;
  run.dram_bytes = run.counters.dram_read_bytes + run.counters.dram_write_bytes;
  return run;
}

TEST_CASE("a tensor that stays is moved at a byte per row and cycle and not loaded again",
          "[schedule][keep]") {
  const IntegerNetwork network = two_layers();
  const Program program = compiled(network, keeping_machine());
  REQUIRE(validate_program(program, network).empty());
  REQUIRE(program.kept.size() == 1);
  CHECK(program.kept[0].tensor == 1);
  CHECK(program.kept[0].bits == 1024 * 8);
  CHECK(program.layers[0].kept_on_chip == std::vector<std::string>{network.tensors[1].name});
  CHECK(program.layers[1].kept_on_chip.empty());

  const RunResult result = FastEngine().run(program);
  std::uint64_t moved = 0;
  for (CommandId id = 0; id < program.commands.size(); ++id) {
    const Command& command = program.commands[id];
    if (command.unit != Unit::kDma) continue;
    const DmaCommand& dma = program.dma[command.payload];
    CHECK(dma.on_chip == (command.layer == 0 && dma.is_store));
    CHECK_FALSE((command.layer == 1 && dma.buffer == Buffer::kAct));
    if (!dma.on_chip) continue;
    moved += dma.bytes;
    CHECK(result.times[id].finish - result.times[id].start == (dma.bytes + 15) / 16);
  }
  CHECK(moved == 1024);
  const Run run = run_checked(program);
  CHECK(run.dram_bytes == 1024 + 256 + 256 + 1024);    // input, weights, output
  CHECK(run.counters.act_write_bits == 2 * 1024 * 8);  // input, kept tensor
  CHECK(run.counters.out_read_bits == 2 * 1024 * 8);
}

TEST_CASE("a kept identity goes to the output buffer on chip, an input comes from DRAM",
          "[schedule][keep]") {
  for (const bool adds_middle : {false, true}) {
    const IntegerNetwork network = two_layers(true, adds_middle);
    const Program program = compiled(network, keeping_machine());
    CHECK(validate_program(program, network).empty());
    REQUIRE(program.kept.size() == 1);
    for (const Command& command : program.commands) {
      if (command.unit != Unit::kDma || command.layer == 0) continue;
      const DmaCommand& dma = program.dma[command.payload];
      if (dma.buffer == Buffer::kOut && !dma.is_store) CHECK(dma.on_chip == adds_middle);
    }
    CHECK(run_checked(program).dram_bytes == 2560u + (adds_middle ? 0 : 1024));
  }
}

TEST_CASE("a tensor goes through DRAM where it does not fit, does not pay, or is wanted",
          "[schedule][keep]") {
  IntegerNetwork network = two_layers();
  SECTION("a batch that the buffer does not hold") {
    CompileOptions five;
    five.batch = 5;
    CHECK(compiled(network, keeping_machine(), five).kept.empty());
    five.batch = 4;
    CHECK(compiled(network, keeping_machine(), five).kept.empty());  // no room for input tiles
    five.batch = 3;
    CHECK(compiled(network, keeping_machine(), five).kept.size() == 1);
  }
  SECTION("a single row is slower than the memory") {
    Machine machine = keeping_machine();
    machine.array.rows = 1;
    machine.dram.bytes_per_cycle = 64;
    machine.dram.latency_cycles = 0;
    machine.array.cols = 1024;
    machine.vector.lanes = 1024;
    CHECK(compiled(network, machine).kept.empty());
  }
  SECTION("an output of the network") {
    network.outputs.push_back({"middle", 1, {1.0}});
    CHECK(compiled(network, keeping_machine()).kept.empty());
  }
  SECTION("layers of a range read from and write to DRAM") {
    CompileOptions first, second;
    first.last_layer = 0;
    second.first_layer = 1;
    CHECK(compiled(network, keeping_machine(), first).kept.empty());
    CHECK(compiled(network, keeping_machine(), second).kept.empty());
  }
  SECTION("channels that nobody stores") {
    network.tensors[1].shape.c = 17;
    network.layers[1].in.c = 17;
    auto& gemm = std::get<GemmOp>(network.layers[1].op);
    gemm.weights.narrow.resize(16 * 17);
    CHECK(compiled(network, keeping_machine()).kept.empty());
  }
  SECTION("a machine that does not ask for it") {
    Machine machine = keeping_machine();
    machine.keep_on_chip = false;
    CHECK(compiled(network, machine).kept.empty());
  }
}

TEST_CASE("keeping tensors never costs cycles, nor traffic for nothing, in programs that are sound",
          "[schedule][keep][metamorphic]") {
  const char* parts[] = {"ddr4-2400", "lpddr4-3200", "hbm2"};
  int kept = 0, faster = 0, compared = 0, sound = 0;
  for (std::uint64_t seed = 1; seed <= 240; ++seed) {
    RandomSource random(seed);
    Machine machine = random_machine(random);
    machine.buffers.act_kib *= 4;  // room for something
    const NetworkBuilder builder = random_value_network(seed);
    machine.vector.rounding = builder.network.rounding;
    if (seed % 3 == 0) {
      machine.dram.model = DramModel::kBanked;
      machine.dram.timing = load_dram_timing(parts[seed / 3 % 3]);
    }
    CompileOptions options;
    options.batch = random.number(1, 3);
    CAPTURE(seed);
    try {
      machine.keep_on_chip = false;
      const Run plain = run_checked(compiled(builder.network, machine, options));
      machine.keep_on_chip = true;
      const Program program = compiled(builder.network, machine, options);
      const Run keeping = run_checked(program);
      CHECK(keeping.cycles <= plain.cycles);
      if (program.kept.empty()) {
        CHECK(keeping.dram_bytes == plain.dram_bytes);
      } else if (keeping.cycles == plain.cycles) {
        CHECK(keeping.dram_bytes < plain.dram_bytes);
      }
      if (program.commands.size() < 1000) {  // the check takes the square of them
        ++sound;
        const auto violations = validate_program(program, builder.network);
        if (!violations.empty()) FAIL_CHECK(violations.front());
      }
      ++compared;
      kept += program.kept.empty() ? 0 : 1;
      faster += keeping.cycles < plain.cycles ? 1 : 0;
    } catch (const Error& error) {
      REQUIRE(error.kind() == ErrorKind::kInvalidInput);  // no tile fits, with or without
    }
  }
  CHECK(compared > 200);
  CHECK(kept > 50);
  CHECK(faster > 50);
  CHECK(sound > 150);
}

TEST_CASE("whole networks in an ample buffer load weights and input only", "[schedule][keep]") {
  for (const char* name : {"resnet20-cifar", "squeezenet1.1"}) {
    Workload workload;
    workload.graph = build_network(name);
    const IntegerNetwork network = lower(workload);
    Machine machine;
    machine.buffers = {1 << 16, 256, 256, 256};
    machine.array.rows = machine.array.cols = 64;
    machine.keep_on_chip = true;
    const Program program = compiled(network, machine);
    CAPTURE(name);
    std::set<TensorId> stays;
    for (const KeptTensor& tensor : program.kept) stays.insert(tensor.tensor);
    std::set<TensorId> outside;
    for (const NetworkInput& in : network.inputs) {
      for (const InputStore& store : in.stores) outside.insert(store.tensor);
    }
    for (const NetworkOutput& out : network.outputs) outside.insert(out.tensor);
    CHECK(stays.size() + outside.size() == network.tensors.size());
    run_checked(program);
  }
}

}  // namespace
}  // namespace bitpulse
