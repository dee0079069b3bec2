// SPDX-License-Identifier: Apache-2.0
#include "sim/cosim/cosim.h"

#include <algorithm>

#include "models/error.h"
#include "sim/cosim/reference.h"
#include "sim/fast/fast_engine.h"

namespace bitpulse {
namespace {

std::string place(const Program& program, std::size_t id) {
  const Command& command = program.commands[id];
  return "layer \"" + program.layers[command.layer].name + "\", " +
         kUnitNames[static_cast<std::size_t>(command.unit)] + " command " + std::to_string(id);
}

std::optional<std::string> time_difference(const Program& program, const RunResult& expected,
                                           const RunResult& found) {
  if (found.times.size() != expected.times.size()) {
    return "found times of " + std::to_string(found.times.size()) + " commands, expected " +
           std::to_string(expected.times.size());
  }
  const auto differs = [&](std::size_t id, const char* what, std::uint64_t f, std::uint64_t e) {
    return place(program, id) + ", cycle of its " + what + ": found " + std::to_string(f) +
           ", expected " + std::to_string(e);
  };
  for (std::size_t id = 0; id < expected.times.size(); ++id) {
    const CommandTime e = expected.times[id], f = found.times[id];
    if (f.start != e.start) return differs(id, "start", f.start, e.start);
    if (f.finish != e.finish) return differs(id, "finish", f.finish, e.finish);
  }
  return std::nullopt;
}

std::uint64_t elements(const Program& program, const IntegerNetwork& network,
                       const ExecuteResult& reference) {
  std::uint64_t count = 0;
  for (const ArrayCommand& command : program.array) {
    const GemmTile& t = command.tile;
    count += static_cast<std::uint64_t>(t.groups.size() * t.m.size() * t.n.size());
  }
  for (const LayerPlan& plan : program.layers) {
    for (const Store& store : network.layers[plan.layer].stores) {
      count += reference.tensors[static_cast<std::size_t>(store.tensor)].size();
    }
  }
  return count;
}

}  // namespace

CosimResult cosimulate(const std::string& name, const Program& program,
                       const IntegerNetwork& network, const TensorCodes& inputs,
                       const std::vector<Engine*>& engines, int threads) {
  const RunResult fast = FastEngine().run(program);
  const ExecuteResult reference = run_reference(program, network, inputs, threads);
  CosimResult result;
  result.name = name;
  result.commands = program.commands.size();
  for (const CommandTime& time : fast.times) result.cycles = std::max(result.cycles, time.finish);
  result.elements = elements(program, network, reference);
  for (const OverflowCounts& counts : reference.overflow) result.overflows += counts.intermediate;
  for (Engine* engine : engines) {
    std::optional<std::string> difference;
    try {
      const RunResult found = engine->run(program, {&network, &inputs, true});
      difference = time_difference(program, fast, found);
      if (!difference) difference = first_difference(program, network, found, reference);
      if (difference) difference = engine->name() + (": " + *difference);
    } catch (const DivergenceError& error) {
      difference = error.what();
      result.place = error.place();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCheckFailed && error.kind() != ErrorKind::kInternal) throw;
      difference = error.what();
    }
    if (difference) {
      result.divergence = difference;
      break;
    }
  }
  return result;
}

std::size_t CosimReport::divergent() const {
  return static_cast<std::size_t>(std::count_if(
      cases.begin(), cases.end(), [](const CosimResult& c) { return c.divergence.has_value(); }));
}

const CosimResult* CosimReport::first_divergent() const {
  const auto first = std::find_if(cases.begin(), cases.end(),
                                  [](const CosimResult& c) { return c.divergence.has_value(); });
  return first == cases.end() ? nullptr : &*first;
}

CosimResult CosimReport::totals() const {
  CosimResult sum;
  for (const CosimResult& c : cases) {
    sum.commands += c.commands;
    sum.cycles += c.cycles;
    sum.elements += c.elements;
    sum.overflows += c.overflows;
  }
  return sum;
}

}  // namespace bitpulse
