// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/search.h"

#include "models/io/shipped.h"
#include "sim/fast/fast_engine.h"
#include "sim/memory/dram_timing.h"
#include "sim/schedule/address_map.h"
#include "sim/schedule/layer_plan.h"
#include "testbench/catch.h"
#include "testbench/sim/schedule/random_network.h"

namespace bitpulse {

namespace {

struct BoundCounts {
  std::uint64_t candidates = 0, tight = 0;  // tight: within 5 % of the cycles
};

/// Checks the bounds of some candidates of one random layer against the engine's count.
void check_bounds(std::uint64_t seed, const std::string& memory, BoundCounts& counts) {
  RandomSource random(seed);
  Machine machine = random_machine(random);
  if (!memory.empty()) {
    machine.dram.model = DramModel::kBanked;
    machine.dram.timing = load_dram_timing(memory);
  }
  const IntegerNetwork network = random_network(random);
  const std::int64_t batch = random.one_in(3) ? 2 : 1;
  std::uint64_t end = 0;
  const auto tensors = map_tensors(network, batch, end);
  const auto timer = FastEngine::timer(machine);
  TilingSearch search(machine, *timer);
  const LayerShape shape = layer_shape(network, network.layers.front(), batch);
  Program program;
  program.machine = machine;
  program.layers.push_back(make_plan(network.layers.front(), shape, machine.array));
  LayerAddresses addresses = layer_addresses(network.layers.front(), tensors);
  addresses.weights = align_region(end) * 8;
  for (const Candidate& candidate : search.candidates(shape, program.layers.front())) {
    if (!random.one_in(20)) continue;
    Program trial = program;
    emit_layer(shape, trial.layers.front().width_groups, candidate.tiling, addresses, 0, trial);
    const std::uint64_t cycles = FastEngine::cycles(trial);
    std::uint64_t bytes = 0;
    for (const DmaCommand& dma : trial.dma) bytes += dma.bytes;
    CAPTURE(seed, memory, describe(shape, program.layers.front().width_groups, candidate.tiling));
    if (candidate.bound.cycles > cycles) CHECK(candidate.bound.cycles <= cycles);
    if (candidate.bound.bytes > bytes) CHECK(candidate.bound.bytes <= bytes);
    ++counts.candidates;
    if (candidate.bound.cycles * 100 >= cycles * 95) ++counts.tight;
  }
}

}  // namespace

TEST_CASE("a tiling's bound exceeds neither its cycles nor its traffic", "[schedule][random]") {
  BoundCounts counts;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) check_bounds(seed, "", counts);
  CAPTURE(counts.candidates, counts.tight);
  CHECK(counts.candidates > 1200);
  CHECK(counts.tight * 2 > counts.candidates);
}

TEST_CASE("a tiling's bound counts whole bursts, and never more than a banked memory moves",
          "[schedule][random]") {
  const std::vector<std::string> parts = shipped_names("dram");
  BoundCounts counts;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    check_bounds(seed, parts[seed % parts.size()], counts);
  }
  CAPTURE(counts.candidates, counts.tight);
  CHECK(counts.candidates > 1200);
  CHECK(counts.tight * 4 > counts.candidates);
}

}  // namespace bitpulse
