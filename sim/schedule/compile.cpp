// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/compile.h"

#include <algorithm>
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

/// Completes a program that has its machine, plans and tensors.
Program assemble(const IntegerNetwork& network, std::vector<ChosenLayer> layers,
                 std::vector<KeptTensor> kept, Program program) {
  place_weights(layers, program.dram_bytes);
  describe_choices(network, layers, program);
  program.kept = std::move(kept);
  ProgramSizes sizes;
  for (const ChosenLayer& layer : layers) sizes += layer.choice.sizes;
  check_size(network, program.machine, sizes.commands);
  reserve(program, sizes);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    emit_layer(layers[i].shape, program.layers[i].width_groups, layers[i].choice.tiling,
               layers[i].addresses, static_cast<std::uint32_t>(i), program);
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

}  // namespace

Program compile(const IntegerNetwork& network, const Machine& machine,
                const CompileOptions& options, MakeTimer make_timer) {
  check_rounding(network, machine);
  const auto count = static_cast<std::int64_t>(network.layers.size());
  const std::int64_t last = options.last_layer < 0 ? count - 1 : options.last_layer;
  if (options.first_layer < 0 || options.first_layer > last || last >= count) {
    throw Error(ErrorKind::kInvalidInput,
                "network '" + network.name + "': layers " + std::to_string(options.first_layer) +
                    ":" + std::to_string(last) + " of " + std::to_string(count));
  }

  Program program;
  program.machine = machine;
  program.batch = options.batch;
  program.tensor_bit = map_tensors(network, options.batch, program.dram_bytes);
  const auto size = static_cast<std::size_t>(last - options.first_layer + 1);
  program.layers.reserve(size);
  std::vector<ChosenLayer> layers;
  layers.reserve(size);
  const std::unique_ptr<CommandTimer> timer = make_timer(machine);
  TilingSearch search(machine, *timer);
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
    layers.push_back({&layer, std::move(shape), std::move(addresses), choice});
  }
  if (!machine.keep_on_chip) return assemble(network, std::move(layers), {}, std::move(program));

  std::vector<ChosenLayer> keeping = layers;
  std::vector<KeptTensor> kept = keep_on_chip(network, machine, search, program.layers, keeping);
  if (machine.dram.model == DramModel::kFixed || kept.empty()) {
    return assemble(network, std::move(keeping), std::move(kept), std::move(program));
  }
  // The rows that a layer finds open depend on the layers before: only a count of all can tell.
  Program best = assemble(network, std::move(keeping), std::move(kept), program);
  Program plain = assemble(network, std::move(layers), {}, std::move(program));
  return cycles_of(best, *timer) <= cycles_of(plain, *timer) ? best : plain;
}

}  // namespace bitpulse
