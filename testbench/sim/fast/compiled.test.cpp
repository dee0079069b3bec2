// SPDX-License-Identifier: Apache-2.0
// The fast engine on what the compiler makes: random layers and whole networks, both memories.

#include "models/error.h"
#include "models/nets/nets.h"
#include "quant/lower.h"
#include "sim/fast/command_counters.h"
#include "sim/fast/fast_engine.h"
#include "sim/memory/dram_timing.h"
#include "sim/schedule/compile.h"
#include "sim/timeline.h"
#include "testbench/catch.h"
#include "testbench/sim/fast/naive_engine.h"
#include "testbench/sim/schedule/random_network.h"

namespace bitpulse {
namespace {

/// Runs and checks everything that must hold of one run.
RunResult run_checked(const Program& program) {
  RunResult result = FastEngine().run(program);
  check_identities(program, result, account(program, result.times));
  return result;
}

TEST_CASE("identities hold and a fold-by-fold run agrees on compiled random layers",
          "[sim][fast][compiled]") {
  int compiled = 0;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    RandomSource random(seed);
    const Machine machine = random_machine(random);
    const IntegerNetwork network = random_network(random);
    Program program;
    try {
      program = compile(network, machine, {}, FastEngine::timer);
    } catch (const Error& error) {
      REQUIRE(error.kind() == ErrorKind::kInvalidInput);  // a tile that fits no buffer
      continue;
    }
    CAPTURE(seed);
    REQUIRE(run_checked(program).times == run_naively(program).times);
    ++compiled;
  }
  CHECK(compiled > 400);
}

/// Counts without commands what a run of the program counts; returns the cycles.
std::uint64_t require_counts(const IntegerNetwork& network, const Machine& machine) {
  const Program program = compile(network, machine, {}, FastEngine::timer);
  const RunResult result = FastEngine().run(program);
  const Timeline timeline = account(program, result.times);
  const CountedRun counted = count_run(network, machine, {}, FastEngine::timer, count_command);
  check_identities(counted.program, counted.layers, counted.dram_bytes, counted.timeline);
  REQUIRE(counted.layers == result.layers);
  REQUIRE(counted.timeline.cycles == timeline.cycles);
  REQUIRE(counted.timeline.busy == timeline.busy);
  REQUIRE(counted.timeline.stalled == timeline.stalled);
  REQUIRE(counted.timeline.idle == timeline.idle);
  for (std::size_t l = 0; l < timeline.layers.size(); ++l) {
    CAPTURE(l);
    const LayerTimeline &found = counted.timeline.layers[l], &expected = timeline.layers[l];
    REQUIRE(found.cycles == expected.cycles);
    REQUIRE(found.array_cycles == expected.array_cycles);
    REQUIRE(found.stream_cycles == expected.stream_cycles);
    REQUIRE(found.stall == expected.stall);
    REQUIRE(counted.program.layers[l].tiling == program.layers[l].tiling);
  }
  return timeline.cycles;
}

TEST_CASE("counts without commands are those of a run, on random layers", "[sim][fast][compiled]") {
  int counted = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    RandomSource random(seed);
    Machine machine = random_machine(random);
    machine.dram.model = DramModel::kFixed;
    const IntegerNetwork network = random_network(random);
    CAPTURE(seed);
    try {
      require_counts(network, machine);
      ++counted;
    } catch (const Error& error) {
      REQUIRE(error.kind() == ErrorKind::kInvalidInput);  // a tile that fits no buffer
    }
  }
  CHECK(counted > 800);
}

TEST_CASE("counts without commands are those of a run, on whole networks where tiles repeat",
          "[sim][fast][compiled]") {
  for (const char* name : {"resnet18", "mobilenet-v2", "yolov2-voc", "inception-v3"}) {
    Workload workload;
    workload.graph = build_network(name);
    const IntegerNetwork network = lower(workload);
    for (const std::uint32_t side : {16, 32}) {
      for (const bool overlap : {true, false}) {
        Machine machine;
        machine.array.rows = side;
        machine.array.cols = 2 * side;
        machine.array.overlap = overlap;
        machine.keep_on_chip = overlap;
        CAPTURE(name, side, overlap);
        CHECK(require_counts(network, machine) > 0);
      }
    }
  }
}

TEST_CASE("identities hold on compiled random layers with every DRAM part",
          "[sim][fast][compiled][memory]") {
  const char* parts[] = {"ddr4-2400", "lpddr4-3200", "hbm2"};
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    RandomSource random(seed);
    Machine machine = random_machine(random);
    machine.dram.model = DramModel::kBanked;
    machine.dram.timing = load_dram_timing(parts[seed % 3]);
    machine.clock_mhz = static_cast<double>(random.number(100, 1500));
    const IntegerNetwork network = random_network(random);
    CAPTURE(seed);
    try {
      const RunResult result = run_checked(compile(network, machine, {}, FastEngine::timer));
      Counters total;
      for (const Counters& layer : result.layers) total += layer;
      const std::uint64_t bursts = total.dram_activates + total.dram_row_hits;
      REQUIRE(bursts * machine.dram.timing.burst_bytes >=
              (total.dram_read_bytes + total.dram_write_bytes) / 2);
      REQUIRE(total.dram_activates > 0);
    } catch (const Error& error) {
      CAPTURE(error.what());
      REQUIRE(error.kind() == ErrorKind::kInvalidInput);
    }
  }
}

TEST_CASE("identities hold on ResNet-18 and MobileNetV2 in every dataflow",
          "[sim][fast][compiled]") {
  for (const char* name : {"resnet18", "mobilenet-v2"}) {
    Workload workload;
    workload.graph = build_network(name);
    workload.quantization.weights = workload.quantization.activations = 4;
    workload.quantization.first_last = 8;
    const IntegerNetwork network = lower(workload);
    for (const Dataflow dataflow : {Dataflow::kOs, Dataflow::kWs, Dataflow::kIs}) {
      for (const PeKind pe : {PeKind::kInt4, PeKind::kFused}) {
        Machine machine;
        machine.array.dataflow = dataflow;
        machine.array.pe = pe;
        CAPTURE(name, static_cast<int>(dataflow), static_cast<int>(pe));
        CHECK_NOTHROW(run_checked(compile(network, machine, {}, FastEngine::timer)));
      }
    }
  }
}

}  // namespace
}  // namespace bitpulse
