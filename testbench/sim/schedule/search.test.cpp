// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/search.h"

#include <algorithm>
#include <utility>

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

/// Cycles and traffic of the best candidate of a random network's first layer, all of them counted,
/// and of the search's choice.
void check_choice(std::uint64_t seed, const std::string& memory, std::uint64_t& compared) {
  RandomSource random(seed);
  Machine machine = random_machine(random);
  if (!memory.empty()) {
    machine.dram.model = DramModel::kBanked;
    machine.dram.timing = load_dram_timing(memory);
  }
  const IntegerNetwork network = random_network(random);
  std::uint64_t end = 0;
  const auto tensors = map_tensors(network, 1, end);
  const auto timer = FastEngine::timer(machine);
  TilingSearch search(machine, *timer);
  const IntegerLayer& layer = network.layers.front();
  const LayerShape shape = layer_shape(network, layer, 1);
  Program program;
  program.machine = machine;
  program.layers.push_back(make_plan(layer, shape, machine.array));
  LayerAddresses addresses = layer_addresses(layer, tensors);
  addresses.weights = align_region(end) * 8;
  std::pair<std::uint64_t, std::uint64_t> best{~std::uint64_t{0}, 0};
  const std::vector<Candidate> candidates = search.candidates(shape, program.layers.front());
  if (candidates.empty() || candidates.size() > 400) return;
  for (const Candidate& candidate : candidates) {
    Program whole = program;
    emit_layer(shape, whole.layers.front().width_groups, candidate.tiling, addresses, 0, whole);
    std::uint64_t bytes = 0;
    for (const DmaCommand& dma : whole.dma) bytes += dma.bytes;
    best = std::min(best, {FastEngine::cycles(whole), bytes});
  }
  const Choice choice = search.choose(layer, shape, program.layers.front(), addresses);
  CAPTURE(seed, memory, describe(shape, program.layers.front().width_groups, choice.tiling));
  CHECK(choice.cycles == best.first);
  CHECK(choice.dram_bytes == best.second);
  ++compared;
}

}  // namespace

TEST_CASE("the search's choice is the best of all tilings counted one by one",
          "[schedule][random]") {
  const std::vector<std::string> parts = shipped_names("dram");
  std::uint64_t compared = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    check_choice(seed, seed % 3 == 0 ? parts[seed / 3 % parts.size()] : "", compared);
  }
  CHECK(compared > 75);
}

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
