// SPDX-License-Identifier: Apache-2.0
// integers(systemc) == integers(reference executor), overflow counts included.
#include "models/error.h"
#include "quant/integer/executor.h"
#include "quant/integer/validate.h"
#include "sim/fast/fast_engine.h"
#include "sim/schedule/compile.h"
#include "sim/systemc/systemc_engine.h"
#include "testbench/catch.h"
#include "testbench/sim/schedule/random_network.h"
#include "testbench/sim/systemc/random_values.h"

namespace bitpulse {
namespace {

ExecuteOptions reference_options(const Program& program) {
  ExecuteOptions options;
  options.keep_all_tensors = true;
  for (const LayerPlan& plan : program.layers) {
    LayerAccumulation orders;
    for (const WidthGroup& group : plan.width_groups) {
      orders.emplace_back(group.weight_bits, group.order);
    }
    options.accumulation.push_back(orders);
  }
  return options;
}

std::string describe_difference(const IntegerNetwork& network, const Program& program,
                                std::size_t tensor, const std::vector<std::int32_t>& expected,
                                const std::vector<std::int32_t>& got) {
  const StoredTensor& t = network.tensors[tensor];
  std::string text = "tensor " + t.name + " (" + std::to_string(t.shape.c) + "x" +
                     std::to_string(t.shape.h) + "x" + std::to_string(t.shape.w) + ", " +
                     std::to_string(t.precision.bits) + " bits)";
  for (const LayerPlan& plan : program.layers) {
    for (const Store& store : network.layers[plan.layer].stores) {
      if (static_cast<std::size_t>(store.tensor) == tensor) {
        text += " of " + network.layers[plan.layer].kind + ", " + plan.tiling;
      }
    }
  }
  if (expected.size() != got.size()) return text + ": another size";
  std::size_t count = 0, first = expected.size();
  for (std::size_t i = expected.size(); i-- > 0;) {
    if (expected[i] == got[i]) continue;
    ++count;
    first = i;
  }
  return text + ": " + std::to_string(count) + " codes of " + std::to_string(expected.size()) +
         " differ, the first is " + std::to_string(first) + ": expected " +
         std::to_string(expected[first]) + ", found " + std::to_string(got[first]);
}

/// Empty where the machine's integers and overflow counts are the reference's.
std::string difference(const Program& program, const IntegerNetwork& network,
                       const TensorCodes& inputs, std::uint64_t& overflows) {
  const ExecuteResult expected =
      execute(network, inputs, program.batch, reference_options(program));
  Operands operands;
  operands.network = &network;
  operands.inputs = &inputs;
  operands.keep_all_tensors = true;
  SystemcEngine systemc;
  const RunResult got = systemc.run(program, operands);
  for (std::size_t t = 0; t < expected.tensors.size(); ++t) {
    if (expected.tensors[t] == got.tensors[t]) continue;
    return describe_difference(network, program, t, expected.tensors[t], got.tensors[t]);
  }
  for (std::size_t l = 0; l < program.layers.size(); ++l) {
    const OverflowCounts& e = expected.overflow[l];
    const Counters& g = got.layers[l];
    overflows += e.intermediate + e.final_sum + e.saturations;
    if (e == OverflowCounts{g.overflow_intermediate, g.overflow_final, g.saturations}) continue;
    return "layer " + std::to_string(l) + ": overflows " + std::to_string(e.intermediate) + ", " +
           std::to_string(e.final_sum) + ", " + std::to_string(e.saturations) + ", systemc " +
           std::to_string(g.overflow_intermediate) + ", " + std::to_string(g.overflow_final) +
           ", " + std::to_string(g.saturations);
  }
  // Values change no time and no other counter.
  const RunResult timing = FastEngine().run(program);
  if (timing.times != got.times) return "times differ";
  for (std::size_t l = 0; l < program.layers.size(); ++l) {
    Counters counters = got.layers[l];
    counters.overflow_intermediate = counters.overflow_final = counters.saturations = 0;
    if (!(counters == timing.layers[l])) return "counters differ";
  }
  return "";
}

void check_seeds(std::uint64_t first, std::uint64_t last) {
  int compiled = 0;
  std::uint64_t overflows = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    NetworkBuilder b = random_value_network(seed);
    CAPTURE(seed);
    REQUIRE_NOTHROW(validate(b.network));
    RandomSource random(seed);
    Machine machine = random_machine(random);
    machine.vector.rounding = b.network.rounding;
    CompileOptions options;
    options.batch = random.number(1, 3);
    Program program;
    try {
      program = compile(b.network, machine, options, FastEngine::cycles);
    } catch (const Error&) {
      continue;  // no tile fits
    }
    ++compiled;
    REQUIRE(difference(program, b.network, b.random_inputs(options.batch), overflows) == "");
  }
  CHECK(compiled > static_cast<int>(last - first) / 2);
  CHECK(overflows > 1000);
}

TEST_CASE("random networks give the reference's integers on random machines",
          "[engines][differential]") {
  check_seeds(1, 1500);
}

}  // namespace
}  // namespace bitpulse
