// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "sim/fast/fast_engine.h"
#include "sim/timeline.h"
#include "testbench/catch.h"
#include "testbench/sim/fast/naive_engine.h"
#include "testbench/sim/fast/program_builder.h"

namespace bitpulse {
namespace {

using Random = std::mt19937;

template <class T>
T pick(Random& random, T min, T max) {
  return static_cast<T>(min + static_cast<T>(random() % static_cast<std::uint64_t>(max - min + 1)));
}

Machine random_machine(Random& random) {
  Machine m;
  m.array.rows = pick(random, 1u, 9u);
  m.array.cols = pick(random, 1u, 9u);
  m.array.dataflow = static_cast<Dataflow>(pick(random, 0, 2));
  m.array.overlap = pick(random, 0, 3) > 0;
  m.array.acc_bits = pick(random, 8, 32);
  m.dram.bytes_per_cycle = pick(random, 1u, 8u);
  m.dram.latency_cycles = pick(random, 0u, 20u);
  m.vector.lanes = pick(random, 1u, 8u);
  if (pick(random, 0, 3) == 0) {
    m.dram.model = DramModel::kBanked;
    m.clock_mhz = pick(random, 100, 1000);
    DramTiming& t = m.dram.timing;
    t.dram_mhz = pick(random, 200, 1000);
    t.channels = 1u << pick(random, 0, 1);
    t.banks = 4, t.row_bytes = 256, t.burst_bytes = 1u << pick(random, 3, 6);
    t.t_rcd = t.t_rp = t.t_cl = pick(random, 1u, 12u);
    t.t_cwl = t.t_wr = t.t_wtr = t.t_rtp = pick(random, 1u, 9u);
    t.t_ras = 20, t.t_rc = 34, t.t_ccd = 4, t.t_rrd = 5, t.t_faw = 24;
    t.t_refi = pick(random, 200u, 500u), t.t_rfc = 50;
  }
  return m;
}

/// Commands of any unit in any order, each waiting for up to three earlier ones.
Program random_program(Random& random) {
  ProgramBuilder builder(random_machine(random));
  const int count = pick(random, 1, 40);
  for (int id = 0; id < count; ++id) {
    if (pick(random, 0, 9) == 0) builder.layer("layer" + std::to_string(id));
    PeMode& mode = builder.program().layers.back().width_groups[0].mode;
    mode.lanes = pick(random, 1, 4);
    std::vector<CommandId> predecessors;
    for (int p = pick(random, 0, 3); p > 0 && id > 0; --p) {
      predecessors.push_back(static_cast<CommandId>(pick(random, 0, id - 1)));
    }
    switch (pick(random, 0, 3)) {
      case 0: {
        const auto bytes = pick<std::uint64_t>(random, 1, 200);
        const auto address = pick<std::uint64_t>(random, 0, 4000);
        if (pick(random, 0, 1) == 0) {
          builder.load(bytes, predecessors, address);
        } else {
          builder.store(bytes, predecessors, address);
        }
        break;
      }
      case 1:
        builder.vector(pick<std::uint64_t>(random, 1, 100), pick(random, 1u, 3u), predecessors);
        break;
      default: {
        FoldNest nest;
        nest.repeats = pick(random, 1u, 3u);
        const bool os = builder.program().machine.array.dataflow == Dataflow::kOs;
        nest.passes = os ? 1 : pick(random, 1u, 4u);
        nest.rows_extent = pick<std::uint64_t>(random, 1, 30);
        nest.cols_extent = pick<std::uint64_t>(random, 1, 30);
        nest.stream = pick<std::uint64_t>(random, 1, 25);
        builder.array(nest, predecessors);
        builder.program().array.back().accumulate = pick(random, 0, 1) > 0;
        builder.program().array.back().macs = pick<std::uint64_t>(random, 1, 1000);
      }
    }
  }
  return builder.program();
}

TEST_CASE("closed forms equal a fold-by-fold run over random programs",
          "[sim][fast][differential]") {
  Random random(20240607);
  FastEngine engine;
  for (int i = 0; i < 4000; ++i) {
    const Program program = random_program(random);
    const RunResult naive = run_naively(program);
    RunResult fast = engine.run(program);
    CAPTURE(i, program.commands.size());
    REQUIRE(fast.times == naive.times);
    for (std::size_t l = 0; l < fast.layers.size(); ++l) {
      // What the naive run does not count: dma and vector traffic.
      Counters array = fast.layers[l];
      array.act_write_bits = array.out_read_bits = array.vector_element_ops = 0;
      array.dram_read_bytes = array.dram_write_bytes = 0;
      REQUIRE(array == naive.layers[l]);
    }
  }
}

TEST_CASE("busy, stalled and idle of every unit add up over random programs",
          "[sim][timeline][property]") {
  Random random(77);
  FastEngine engine;
  for (int i = 0; i < 2000; ++i) {
    const Program program = random_program(random);
    const Timeline timeline = account(program, engine.run(program).times);
    CAPTURE(i);
    std::uint64_t layer_cycles = 0, array_cycles = 0;
    StallMatrix stall{};
    for (const LayerTimeline& layer : timeline.layers) {
      layer_cycles += layer.cycles;
      array_cycles += layer.array_cycles;
      for (int u = 0; u < kUnitCount; ++u) {
        for (int c = 0; c < kUnitCount; ++c) stall[u][c] += layer.stall[u][c];
      }
    }
    REQUIRE(layer_cycles == timeline.cycles);
    REQUIRE(array_cycles == timeline.busy[static_cast<int>(Unit::kArray)]);
    for (int u = 0; u < kUnitCount; ++u) {
      REQUIRE(timeline.busy[u] + timeline.stalled[u] + timeline.idle[u] == timeline.cycles);
      REQUIRE(stall[u][0] + stall[u][1] + stall[u][2] == timeline.stalled[u]);
    }
  }
}

}  // namespace
}  // namespace bitpulse
