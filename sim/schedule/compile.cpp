// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/compile.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>
#include <vector>

#include "models/error.h"
#include "sim/schedule/address_map.h"
#include "sim/schedule/emit.h"
#include "sim/schedule/keep.h"
#include "sim/schedule/layer_plan.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/program_sizes.h"
#include "sim/schedule/search.h"
#include "sim/schedule/tiling.h"
#include "sim/schedule/width_groups.h"

namespace bitpulse {

namespace {

const char* to_string(Rounding rounding) {
  switch (rounding) {
    case Rounding::kHalfUp:
      return "half_up";
    case Rounding::kHalfEven:
      return "half_even";
    case Rounding::kHalfAway:
      return "half_away";
  }
  return "";
}

void check_rounding(const IntegerNetwork& network, const Machine& machine) {
  if (network.rounding == machine.vector.rounding) return;
  throw Error(ErrorKind::kInvalidInput, place_in(machine, "/vector/rounding") + ": found \"" +
                                            to_string(machine.vector.rounding) + "\", expected \"" +
                                            to_string(network.rounding) + "\", which network '" +
                                            network.name + "' was made for");
}

/// Weights follow the tensors in DRAM, layer after layer.
void place_weights(std::vector<ChosenLayer>& layers, std::uint64_t& dram_bytes) {
  for (ChosenLayer& layer : layers) {
    layer.addresses.weights = align_region(dram_bytes) * 8;
    dram_bytes = (layer.addresses.weights + layer.choice.weight_bits) / 8;
  }
}

/// Says in the plans what was chosen.
void describe_choices(const IntegerNetwork& network, const std::vector<ChosenLayer>& layers,
                      Program& program) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const ChosenLayer& layer = layers[i];
    LayerPlan& plan = program.layers[i];
    plan.tiling = describe(layer.shape, plan.width_groups, layer.choice.tiling);
    for (WidthGroup& group : plan.width_groups) {
      group.order.segments =
          k_segments(program.machine.array, group.k_packed, layer.choice.tiling.k);
    }
    for (std::size_t s = 0; s < layer.shape.stores.size(); ++s) {
      if (!layer.shape.stores[s].kept) continue;
      const auto tensor = static_cast<std::size_t>(layer.layer->stores[s].tensor);
      plan.kept_on_chip.push_back(network.tensors[tensor].name);
    }
  }
}

void check_size(const IntegerNetwork& network, const Machine& machine, std::size_t commands) {
  if (commands <= kMaxCommands) return;
  throw Error(ErrorKind::kLimit, place_in(machine, "/buffers") + ": network '" + network.name +
                                     "': found a program of " + std::to_string(commands) +
                                     " commands, expected at most " + std::to_string(kMaxCommands) +
                                     "; a smaller batch or larger buffers would help");
}

/// A program that has its machine and tensors; what has been chosen for its layers.
struct Chosen {
  Program program;
  std::vector<ChosenLayer> layers;
};

/// Everything of a program but its commands.
void complete(const IntegerNetwork& network, Chosen& chosen) {
  place_weights(chosen.layers, chosen.program.dram_bytes);
  describe_choices(network, chosen.layers, chosen.program);
  std::size_t commands = 0;
  for (const ChosenLayer& layer : chosen.layers) commands += layer.choice.sizes.commands;
  check_size(network, chosen.program.machine, commands);
}

Program assemble(const IntegerNetwork& network, Chosen chosen) {
  complete(network, chosen);
  Program program = std::move(chosen.program);
  ProgramSizes sizes;
  for (const ChosenLayer& layer : chosen.layers) sizes += layer.choice.sizes;
  reserve(program, sizes);
  for (std::size_t i = 0; i < chosen.layers.size(); ++i) {
    const ChosenLayer& layer = chosen.layers[i];
    emit_layer(layer.shape, program.layers[i].width_groups, layer.choice.tiling, layer.addresses,
               static_cast<std::uint32_t>(i), program);
  }
  return program;
}

std::uint64_t cycles_of(const Program& program, CommandTimer& timer) {
  timer.reset();
  std::vector<std::uint64_t> finish;
  finish.reserve(program.commands.size());
  for (const Command& command : program.commands) {
    std::uint64_t ready = 0;
    for (std::uint32_t i = 0; i < command.predecessor_count; ++i) {
      ready = std::max(ready, finish[program.predecessors[command.first_predecessor + i]]);
    }
    finish.push_back(timer.issue(program, command, ready).finish);
  }
  return finish.empty() ? 0 : *std::max_element(finish.begin(), finish.end());
}

/// With all tensors in DRAM.
Chosen choose_layers(const IntegerNetwork& network, const Machine& machine,
                     const CompileOptions& options, TilingSearch& search) {
  check_rounding(network, machine);
  const auto count = static_cast<std::int64_t>(network.layers.size());
  const std::int64_t last = options.last_layer < 0 ? count - 1 : options.last_layer;
  if (options.first_layer < 0 || options.first_layer > last || last >= count) {
    throw Error(ErrorKind::kInvalidInput,
                "network '" + network.name + "': layers " + std::to_string(options.first_layer) +
                    ":" + std::to_string(last) + " of " + std::to_string(count));
  }

  Chosen chosen;
  Program& program = chosen.program;
  program.machine = machine;
  program.batch = options.batch;
  program.tensor_bit = map_tensors(network, options.batch, program.dram_bytes);
  const auto size = static_cast<std::size_t>(last - options.first_layer + 1);
  program.layers.reserve(size);
  chosen.layers.reserve(size);
  std::uint64_t weights = program.dram_bytes;
  for (std::int64_t i = options.first_layer; i <= last; ++i) {
    const IntegerLayer& layer = network.layers[static_cast<std::size_t>(i)];
    LayerShape shape = layer_shape(network, layer, options.batch);
    LayerPlan plan = make_plan(layer, shape, machine.array);
    plan.layer = static_cast<std::uint32_t>(i);
    LayerAddresses addresses = layer_addresses(layer, program.tensor_bit);
    addresses.weights = align_region(weights) * 8;
    const Choice choice = search.choose(layer, shape, plan, addresses);
    weights = (addresses.weights + choice.weight_bits) / 8;
    program.layers.push_back(std::move(plan));
    chosen.layers.push_back({&layer, std::move(shape), std::move(addresses), choice});
  }
  return chosen;
}

void keep(const IntegerNetwork& network, TilingSearch& search, Chosen& chosen) {
  Program& program = chosen.program;
  program.kept = keep_on_chip(network, program.machine, search, program.layers, chosen.layers);
}

}  // namespace

Program compile(const IntegerNetwork& network, const Machine& machine,
                const CompileOptions& options, MakeTimer make_timer) {
  const std::unique_ptr<CommandTimer> timer = make_timer(machine);
  TilingSearch search(machine, *timer);
  Chosen chosen = choose_layers(network, machine, options, search);
  if (!machine.keep_on_chip) return assemble(network, std::move(chosen));
  std::optional<Chosen> plain;
  if (machine.dram.model == DramModel::kBanked) plain = chosen;
  keep(network, search, chosen);
  const bool keeps_none = chosen.program.kept.empty();
  Program best = assemble(network, std::move(chosen));
  if (!plain || keeps_none) return best;
  // The rows that a layer finds open depend on the layers before: only a count of all can tell.
  Program other = assemble(network, std::move(*plain));
  return cycles_of(best, *timer) <= cycles_of(other, *timer) ? best : other;
}

CountedRun count_run(const IntegerNetwork& network, const Machine& machine,
                     const CompileOptions& options, MakeTimer make_timer, CountCommand count) {
  assert(machine.dram.model == DramModel::kFixed);
  const std::unique_ptr<CommandTimer> timer = make_timer(machine);
  TilingSearch search(machine, *timer);
  Chosen chosen = choose_layers(network, machine, options, search);
  if (machine.keep_on_chip) keep(network, search, chosen);
  complete(network, chosen);

  CountedRun run;
  UnitCycles units;
  std::vector<LayerTimeline> timelines;
  timelines.reserve(chosen.layers.size());
  run.layers.reserve(chosen.layers.size());
  run.dram_bytes.reserve(chosen.layers.size());
  std::uint64_t begin = 0;
  for (std::size_t i = 0; i < chosen.layers.size(); ++i) {
    const ChosenLayer& layer = chosen.layers[i];
    const Tally& tally =
        search.tally(*layer.layer, layer.shape, chosen.program.layers[i], layer.addresses, count);
    timelines.push_back(add_layer(tally, begin, units));
    begin += timelines.back().cycles;
    run.layers.push_back(tally.totals.counters);
    run.dram_bytes.push_back(layer.choice.dram_bytes);
  }
  run.timeline = make_timeline(units, std::move(timelines));
  run.program = std::move(chosen.program);
  return run;
}

}  // namespace bitpulse
