// SPDX-License-Identifier: Apache-2.0
// cycles(fast) == cycles(systemc): start and finish of every command, and every counter.
#include "models/error.h"
#include "sim/fast/fast_engine.h"
#include "sim/memory/dram_timing.h"
#include "sim/schedule/compile.h"
#include "sim/systemc/systemc_engine.h"
#include "testbench/catch.h"
#include "testbench/sim/schedule/random_network.h"
#include "testbench/sim/systemc/differences.h"
#include "testbench/sim/systemc/random_program.h"
#include "testbench/sim/systemc/seeded_parameters.h"

namespace bitpulse {
namespace {

TEST_CASE("random programs take the same cycles and count the same in fast and systemc",
          "[engines][differential]") {
  FastEngine fast;
  SystemcEngine systemc;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    RandomSource random(seed);
    const Program program = random_program(random);
    CAPTURE(seed, program.commands.size());
    REQUIRE(difference(fast.run(program), systemc.run(program, {})) == "same");
  }
}

TEST_CASE("compiled random layers take the same cycles in fast and systemc, with both memories",
          "[engines][differential]") {
  FastEngine fast;
  SystemcEngine systemc;
  const DramTiming part = load_dram_timing("lpddr4-3200");
  int compiled = 0;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    RandomSource random(seed);
    const Machine machine = random_machine(random);
    const IntegerNetwork network = random_network(random);
    CompileOptions options;
    options.batch = random.number(1, 3);
    Program program;
    try {
      program = compile(network, machine, options, FastEngine::timer);
    } catch (const Error&) {
      continue;  // no tile fits
    }
    ++compiled;
    CAPTURE(seed);
    REQUIRE(difference(fast.run(program), systemc.run(program, {})) == "same");
    program.machine.dram.model = DramModel::kBanked;
    program.machine.dram.timing = part;
    REQUIRE(difference(fast.run(program), systemc.run(program, {})) == "same");
  }
  CHECK(compiled > 1000);
}

/// A whole network on an array of rows x cols with `fixed` and with `banked` memory, tensors going
/// through DRAM or kept on chip.
void check_network(const std::string& name, std::uint32_t rows, std::uint32_t cols,
                   Dataflow dataflow) {
  const IntegerNetwork network = seeded_network(name, 8, 8, 1);
  Machine machine;
  machine.array.rows = rows;
  machine.array.cols = cols;
  machine.array.dataflow = dataflow;
  for (const bool keeps : {false, true}) {
    machine.keep_on_chip = keeps;
    if (keeps) machine.buffers.act_kib = 1024;
    Program program = compile(network, machine, {}, FastEngine::timer);
    CHECK(program.kept.empty() == !keeps);
    FastEngine fast;
    SystemcEngine systemc;
    CHECK(difference(fast.run(program), systemc.run(program, {})) == "same");
    program.machine.dram.model = DramModel::kBanked;
    program.machine.dram.timing = load_dram_timing("ddr4-2400");
    CHECK(difference(fast.run(program), systemc.run(program, {})) == "same");
  }
}

TEST_CASE("ResNet-20 takes the same cycles in fast and systemc", "[engines][network]") {
  check_network("resnet20-cifar", 16, 16, Dataflow::kOs);
}
TEST_CASE("ResNet-18 takes the same cycles in fast and systemc", "[engines][network]") {
  check_network("resnet18", 32, 32, Dataflow::kWs);
}
TEST_CASE("YOLOv2 takes the same cycles in fast and systemc", "[engines][network]") {
  check_network("yolov2-voc", 32, 64, Dataflow::kIs);
}

TEST_CASE("a program that cannot go on stops with the command and what it waits for",
          "[systemc][errors]") {
  Program program;
  program.layers.resize(1);
  program.layers[0].name = "conv1";
  Command wait, vector;
  wait.unit = Unit::kVector;
  wait.predecessor_count = 1;
  vector.unit = Unit::kVector;
  program.commands = {wait, vector};
  program.predecessors = {1};
  program.vector.resize(1);
  SystemcEngine systemc;
  try {
    systemc.run(program, {});
    FAIL("expected an error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInternal);
    const std::string text = error.what();
    CAPTURE(text);
    CHECK(text.find("command 0 (vector, layer \"conv1\") waits for command 1 (vector, layer "
                    "\"conv1\")") != std::string::npos);
  }
  // The engine is usable afterwards.
  program.commands[0].predecessor_count = 0;
  CHECK(systemc.run(program, {}).times.back().finish == 8);
}

}  // namespace
}  // namespace bitpulse
