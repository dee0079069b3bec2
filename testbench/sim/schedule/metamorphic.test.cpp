// SPDX-License-Identifier: Apache-2.0
// What must not happen to cycles when a machine or a network changes in a known direction.

#include <optional>

#include "models/error.h"
#include "sim/fast/fast_engine.h"
#include "sim/schedule/compile.h"
#include "sim/timeline.h"
#include "testbench/catch.h"
#include "testbench/sim/schedule/random_network.h"

namespace bitpulse {
namespace {

std::optional<Program> try_compile(const IntegerNetwork& network, const Machine& machine,
                                   std::int64_t batch = 1) {
  CompileOptions options;
  options.batch = batch;
  try {
    return compile(network, machine, options, FastEngine::timer);
  } catch (const Error&) {
    return std::nullopt;  // does not fit
  }
}

TEST_CASE("bigger buffers never cost cycles", "[schedule][metamorphic]") {
  int compared = 0, better = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    RandomSource random(seed);
    Machine machine = random_machine(random);
    machine.array.overlap = true;
    const IntegerNetwork network = random_network(random);
    const auto small = try_compile(network, machine);
    Machine big = machine;
    for (auto member : {&BufferSpec::act_kib, &BufferSpec::weight_kib, &BufferSpec::out_kib,
                        &BufferSpec::acc_kib}) {
      if (random.one_in(2)) big.buffers.*member *= static_cast<std::uint32_t>(random.number(2, 9));
    }
    const auto large = try_compile(network, big);
    CAPTURE(seed);
    if (!small) continue;
    REQUIRE(large);
    const std::uint64_t before = FastEngine::cycles(*small), after = FastEngine::cycles(*large);
    CHECK(after <= before);
    ++compared;
    better += after < before ? 1 : 0;
  }
  CHECK(compared > 100);
  CHECK(better > 5);
}

TEST_CASE("more bandwidth never costs a fixed schedule cycles", "[schedule][metamorphic]") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    RandomSource random(seed);
    const Machine machine = random_machine(random);
    auto program = try_compile(random_network(random), machine);
    if (!program) continue;
    const std::uint64_t before = FastEngine::cycles(*program);
    program->machine.dram.bytes_per_cycle += static_cast<std::uint32_t>(random.number(1, 40));
    CAPTURE(seed);
    CHECK(FastEngine::cycles(*program) <= before);
  }
}

TEST_CASE("fewer bits never cost a fixed schedule cycles", "[schedule][metamorphic]") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    RandomSource random(seed);
    const Machine machine = random_machine(random);
    auto program = try_compile(random_network(random), machine);
    if (!program) continue;
    const std::uint64_t before = FastEngine::cycles(*program);
    // Half the bits: half the bytes of every transfer (rounded up), at most as many digit passes.
    for (DmaCommand& command : program->dma) command.bytes = (command.bytes + 1) / 2;
    for (ArrayCommand& command : program->array) {
      command.nest.passes = (command.nest.passes + 1) / 2;
    }
    CAPTURE(seed);
    CHECK(FastEngine::cycles(*program) <= before);
  }
}

TEST_CASE("the order of output channels changes no cycle", "[schedule][metamorphic]") {
  int mixed = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    RandomSource random(seed);
    const Machine machine = random_machine(random);
    IntegerNetwork network = random_network(random);
    network.layers.resize(1);
    auto* gemm = std::get_if<GemmOp>(&network.layers[0].op);
    if (gemm == nullptr || gemm->groups > 1) continue;
    if (network.layers[0].residual && network.layers[0].residual->channels_before > 0) continue;
    const auto before = try_compile(network, machine);
    for (std::size_t i = gemm->weight_bits.size(); i > 1; --i) {
      std::swap(gemm->weight_bits[i - 1], gemm->weight_bits[static_cast<std::size_t>(
                                              random.number(0, static_cast<std::int64_t>(i) - 1))]);
    }
    const auto after = try_compile(network, machine);
    CAPTURE(seed);
    REQUIRE(before.has_value() == after.has_value());
    if (!before) continue;
    CHECK(FastEngine::cycles(*before) == FastEngine::cycles(*after));
    mixed += before->layers[0].width_groups.size() > 1 ? 1 : 0;
  }
  CHECK(mixed > 10);
}

TEST_CASE("with ample buffers and no overlap the array takes section 4's serial cost",
          "[schedule][closed-form]") {
  int layers = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    RandomSource random(seed);
    Machine machine = random_machine(random);
    machine.array.overlap = false;
    machine.buffers = {8192, 8192, 8192, 8192};
    const IntegerNetwork network = random_network(random);
    const Program program = compile(network, machine, {}, FastEngine::timer);
    const Timeline timeline = account(program, FastEngine().run(program).times);
    for (std::size_t i = 0; i < program.layers.size(); ++i) {
      CAPTURE(seed, program.layers[i].tiling);
      CHECK(timeline.layers[i].array_cycles == program.layers[i].serial_array_cycles);
      layers += program.layers[i].macs > 0 ? 1 : 0;
    }
  }
  CHECK(layers > 100);
}

TEST_CASE("a layer's cycles in isolation are its cycles in the network",
          "[schedule][metamorphic]") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    RandomSource random(seed);
    const Machine machine = random_machine(random);
    const IntegerNetwork network = random_network(random);
    const auto all = try_compile(network, machine);
    if (!all) continue;
    const Timeline timeline = account(*all, FastEngine().run(*all).times);
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      CompileOptions one;
      one.first_layer = one.last_layer = static_cast<std::int64_t>(i);
      CAPTURE(seed, i);
      CHECK(timeline.layers[i].cycles ==
            FastEngine::cycles(compile(network, machine, one, FastEngine::timer)));
    }
  }
}

}  // namespace
}  // namespace bitpulse
