// SPDX-License-Identifier: Apache-2.0
#include "testbench/sim/systemc/differences.h"

#include "sim/fast/fast_engine.h"
#include "sim/systemc/systemc_engine.h"

namespace bitpulse {
namespace {

std::string text(std::uint64_t value) { return std::to_string(value); }

/// The order of additions that the program's schedule gives each layer.
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

std::string tensor_difference(const IntegerNetwork& network, const Program& program,
                              std::size_t tensor, const std::vector<std::int32_t>& expected,
                              const std::vector<std::int32_t>& got) {
  const StoredTensor& t = network.tensors[tensor];
  std::string where = "tensor " + t.name + " (" + std::to_string(t.shape.c) + "x" +
                      std::to_string(t.shape.h) + "x" + std::to_string(t.shape.w) + ", " +
                      std::to_string(t.precision.bits) + " bits)";
  for (const LayerPlan& plan : program.layers) {
    for (const Store& store : network.layers[plan.layer].stores) {
      if (static_cast<std::size_t>(store.tensor) == tensor) {
        where += " of " + network.layers[plan.layer].kind + ", " + plan.tiling;
      }
    }
  }
  if (expected.size() != got.size()) return where + ": another size";
  std::size_t count = 0, first = 0;
  for (std::size_t i = expected.size(); i-- > 0;) {
    if (expected[i] == got[i]) continue;
    ++count;
    first = i;
  }
  return where + ": " + text(count) + " codes of " + text(expected.size()) +
         " differ, the first is " + text(first) + ": expected " + std::to_string(expected[first]) +
         ", found " + std::to_string(got[first]);
}

}  // namespace

std::string difference(const RunResult& fast, const RunResult& systemc) {
  if (fast.times.size() != systemc.times.size()) return "another number of commands";
  for (std::size_t id = 0; id < fast.times.size(); ++id) {
    const CommandTime f = fast.times[id], s = systemc.times[id];
    if (f == s) continue;
    return "command " + text(id) + ": fast " + text(f.start) + ".." + text(f.finish) +
           ", systemc " + text(s.start) + ".." + text(s.finish);
  }
  for (std::size_t l = 0; l < fast.layers.size(); ++l) {
    for (const CounterInfo& info : kCounterTable) {
      const std::uint64_t f = fast.layers[l].*info.member, s = systemc.layers[l].*info.member;
      if (f == s) continue;
      return "layer " + text(l) + ", " + info.name + ": fast " + text(f) + ", systemc " + text(s);
    }
    if (!(fast.layers[l] == systemc.layers[l])) return "layer " + text(l) + ": other counters";
  }
  return "same";
}

std::string value_difference(const Program& program, const IntegerNetwork& network,
                             const TensorCodes& inputs, std::uint64_t& overflows) {
  const ExecuteResult expected =
      execute(network, inputs, program.batch, reference_options(program));
  Operands operands;
  operands.network = &network;
  operands.inputs = &inputs;
  operands.keep_all_tensors = true;
  SystemcEngine systemc;
  RunResult got = systemc.run(program, operands);
  for (std::size_t t = 0; t < expected.tensors.size(); ++t) {
    if (expected.tensors[t] != got.tensors[t]) {
      return tensor_difference(network, program, t, expected.tensors[t], got.tensors[t]);
    }
  }
  for (std::size_t l = 0; l < program.layers.size(); ++l) {
    const OverflowCounts& e = expected.overflow[l];
    Counters& g = got.layers[l];
    overflows += e.intermediate + e.final_sum + e.saturations;
    if (!(e == OverflowCounts{g.overflow_intermediate, g.overflow_final, g.saturations})) {
      return "layer " + text(l) + ": overflows " + text(e.intermediate) + ", " + text(e.final_sum) +
             ", " + text(e.saturations) + ", systemc " + text(g.overflow_intermediate) + ", " +
             text(g.overflow_final) + ", " + text(g.saturations);
    }
    g.overflow_intermediate = g.overflow_final = g.saturations = 0;
  }
  return difference(FastEngine().run(program), got);
}

}  // namespace bitpulse
