// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/search.h"

#include "sim/fast/fast_engine.h"
#include "sim/schedule/address_map.h"
#include "sim/schedule/layer_plan.h"
#include "testbench/catch.h"
#include "testbench/sim/schedule/random_network.h"

namespace bitpulse {

TEST_CASE("a tiling's bound exceeds neither its cycles nor its traffic", "[schedule][random]") {
  std::uint64_t candidates = 0, tight = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    RandomSource random(seed);
    const Machine machine = random_machine(random);
    const IntegerNetwork network = random_network(random);
    const std::int64_t batch = random.one_in(3) ? 2 : 1;
    std::uint64_t end = 0;
    const auto tensors = map_tensors(network, batch, end);
    const ProgramCost cost = FastEngine::cycles;
    TilingSearch search(machine, cost);
    const LayerShape shape = layer_shape(network, network.layers.front(), batch);
    Program program;
    program.machine = machine;
    program.layers.push_back(make_plan(network.layers.front(), shape, machine.array));
    const LayerAddresses addresses = layer_addresses(network.layers.front(), tensors);
    for (const Candidate& candidate : search.candidates(shape, program.layers.front())) {
      if (!random.one_in(20)) continue;
      Program trial = program;
      emit_layer(shape, trial.layers.front().width_groups, candidate.tiling, addresses, 0,
                 Detail::kAll, trial);
      const std::uint64_t cycles = FastEngine::cycles(trial);
      std::uint64_t bytes = 0;
      for (const DmaCommand& dma : trial.dma) bytes += dma.bytes;
      CAPTURE(seed, describe(shape, program.layers.front().width_groups, candidate.tiling));
      if (candidate.bound.cycles > cycles) CHECK(candidate.bound.cycles <= cycles);
      if (candidate.bound.bytes > bytes) CHECK(candidate.bound.bytes <= bytes);
      ++candidates;
      if (candidate.bound.cycles * 100 >= cycles * 95) ++tight;
    }
  }
  CAPTURE(candidates, tight);
  CHECK(candidates > 1200);
  CHECK(tight * 2 > candidates);
}

}  // namespace bitpulse
