// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/search.h"

#include <algorithm>
#include <memory>
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

/// The first layer of a random network on a random machine.
struct RandomLayer {
  RandomLayer(RandomSource& random, const std::string& memory)
      : machine(random_machine(random)), network(random_network(random)) {
    if (!memory.empty()) {
      machine.dram.model = DramModel::kBanked;
      machine.dram.timing = load_dram_timing(memory);
    }
    const std::int64_t batch = random.one_in(3) ? 2 : 1;
    shape = layer_shape(network, layer(), batch);
    std::uint64_t end = 0;
    addresses = layer_addresses(layer(), map_tensors(network, batch, end));
    addresses.weights = align_region(end) * 8;
    program.machine = machine;
    program.layers.push_back(make_plan(layer(), shape, machine.array));
    timer = FastEngine::timer(machine);
  }

  const IntegerLayer& layer() const { return network.layers.front(); }
  const std::vector<WidthGroup>& groups() const { return program.layers.front().width_groups; }

  /// Cycles and traffic of a whole program.
  std::pair<std::uint64_t, std::uint64_t> count(const Tiling& tiling) const {
    Program whole = program;
    emit_layer(shape, groups(), tiling, addresses, 0, whole);
    std::uint64_t bytes = 0;
    for (const DmaCommand& dma : whole.dma) bytes += dma.bytes;
    return {FastEngine::cycles(whole), bytes};
  }

  Machine machine;
  IntegerNetwork network;
  LayerShape shape;
  LayerAddresses addresses;
  Program program;  // without commands
  std::unique_ptr<CommandTimer> timer;
};

/// Times commands as the engine does, and counts them.
class CountingTimer final : public CommandTimer {
 public:
  explicit CountingTimer(CommandTimer& timer) : timer_(timer) {}
  void reset() override { timer_.reset(); }
  CommandTime issue(const Program& program, const Command& command, std::uint64_t ready) override {
    ++issued;
    return timer_.issue(program, command, ready);
  }
  std::uint64_t dma(const Program& program, const DmaCommand& command,
                    std::uint64_t ready) override {
    ++issued;
    return timer_.dma(program, command, ready);
  }
  std::uint64_t array(const FoldNest& nest, std::uint64_t ready) override {
    ++issued;
    return timer_.array(nest, ready);
  }
  std::uint64_t vector(std::uint64_t elements, std::uint32_t passes, std::uint64_t ready) override {
    ++issued;
    return timer_.vector(elements, passes, ready);
  }
  UnitWaits waited() const override { return timer_.waited(); }
  UnitTimes times() const override { return timer_.times(); }
  void skip(std::uint64_t cycles, UnitWaits waited) override { timer_.skip(cycles, waited); }

  std::uint64_t issued = 0;

 private:
  CommandTimer& timer_;
};

/// Tries tilings of one random layer; returns in how many trials commands were left out.
int check_trials(std::uint64_t seed) {
  RandomSource random(seed);
  RandomLayer layer(random, "");
  TilingSearch search(layer.machine, *layer.timer);
  CountingTimer timer(*layer.timer);
  Program scratch = layer.program;
  LayerTiles tiles;
  int shortened = 0;
  for (const Candidate& candidate : search.candidates(layer.shape, layer.program.layers.front())) {
    if (!random.one_in(10)) continue;
    timer.reset();
    timer.issued = 0;
    Trial trial(timer, false, tiles);
    emit_layer(layer.shape, layer.groups(), candidate.tiling, layer.addresses, 0, scratch, &trial);
    const auto [cycles, bytes] = layer.count(candidate.tiling);
    CAPTURE(seed, describe(layer.shape, layer.groups(), candidate.tiling));
    if (trial.cycles != cycles) CHECK(trial.cycles == cycles);
    if (trial.dram_bytes != bytes) CHECK(trial.dram_bytes == bytes);
    if (timer.issued < trial.sizes.commands) ++shortened;
  }
  return shortened;
}

struct BoundCounts {
  std::uint64_t candidates = 0, tight = 0;  // tight: within 5 % of the cycles
};

/// Checks the bounds of some candidates of one random layer against the engine's count.
void check_bounds(std::uint64_t seed, const std::string& memory, BoundCounts& counts) {
  RandomSource random(seed);
  RandomLayer layer(random, memory);
  TilingSearch search(layer.machine, *layer.timer);
  for (const Candidate& candidate : search.candidates(layer.shape, layer.program.layers.front())) {
    if (!random.one_in(20)) continue;
    const auto [cycles, bytes] = layer.count(candidate.tiling);
    CAPTURE(seed, memory, describe(layer.shape, layer.groups(), candidate.tiling));
    if (candidate.bound.cycles > cycles) CHECK(candidate.bound.cycles <= cycles);
    if (candidate.bound.bytes > bytes) CHECK(candidate.bound.bytes <= bytes);
    ++counts.candidates;
    if (candidate.bound.cycles * 100 >= cycles * 95) ++counts.tight;
  }
}

/// Compares the search's choice with the best of all candidates, where they are not too many.
void check_choice(std::uint64_t seed, const std::string& memory, std::uint64_t& compared) {
  RandomSource random(seed);
  RandomLayer layer(random, memory);
  TilingSearch search(layer.machine, *layer.timer);
  const std::vector<Candidate> candidates =
      search.candidates(layer.shape, layer.program.layers.front());
  if (candidates.empty() || candidates.size() > 400) return;
  std::pair<std::uint64_t, std::uint64_t> best{~std::uint64_t{0}, 0};
  for (const Candidate& candidate : candidates) {
    best = std::min(best, layer.count(candidate.tiling));
  }
  const Choice choice =
      search.choose(layer.layer(), layer.shape, layer.program.layers.front(), layer.addresses);
  CAPTURE(seed, memory, describe(layer.shape, layer.groups(), choice.tiling));
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

TEST_CASE("a trial that leaves out what repeats counts what the whole program takes",
          "[schedule][random]") {
  int shortened = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) shortened += check_trials(seed);
  CHECK(shortened > 100);
}

TEST_CASE("a tiling's bound exceeds neither its cycles nor its traffic", "[schedule][random]") {
  BoundCounts counts;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) check_bounds(seed, "", counts);
  check_bounds(11849, "", counts);  // convolution groups of two K tiles, each with its own input
  check_bounds(14388, "", counts);  // tiles that are padding, and load nothing
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
