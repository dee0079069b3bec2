// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/compile.h"

#include <cassert>

#include "models/error.h"
#include "sim/schedule/address_map.h"
#include "sim/schedule/emit.h"
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
  throw Error(ErrorKind::kInvalidInput, "machine '" + machine.name + "': its vector unit rounds " +
                                            to_string(machine.vector.rounding) + ", but network '" +
                                            network.name + "' was made for " +
                                            to_string(network.rounding));
}

struct Chosen {
  LayerShape shape;
  LayerAddresses addresses;
  Choice choice;
};

}  // namespace

Program compile(const IntegerNetwork& network, const Machine& machine,
                const CompileOptions& options, const ProgramCost& cost) {
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
  const auto layers = static_cast<std::size_t>(last - options.first_layer + 1);
  program.layers.reserve(layers);
  std::vector<Chosen> chosen;
  chosen.reserve(layers);
  TilingSearch search(machine, cost);
  for (std::int64_t i = options.first_layer; i <= last; ++i) {
    const IntegerLayer& layer = network.layers[static_cast<std::size_t>(i)];
    LayerShape shape = layer_shape(network, layer, options.batch);
    LayerPlan plan = make_plan(layer, shape, machine.array);
    plan.layer = static_cast<std::uint32_t>(i);
    LayerAddresses addresses = layer_addresses(layer, program.tensor_bit);
    addresses.weights = align_region(program.dram_bytes) * 8;
    const Choice choice = search.choose(layer, shape, plan, addresses);
    program.dram_bytes = (addresses.weights + choice.weight_bits) / 8;
    plan.tiling = describe(shape, plan.width_groups, choice.tiling);
    for (WidthGroup& group : plan.width_groups) {
      group.order.segments = k_segments(machine.array, group.k_packed, choice.tiling.k);
    }
    program.layers.push_back(std::move(plan));
    chosen.push_back({std::move(shape), std::move(addresses), choice});
  }
  ProgramSizes sizes;
  for (const Chosen& layer : chosen) sizes += layer.choice.sizes;
  if (sizes.commands > kMaxCommands) {
    throw Error(ErrorKind::kLimit, "network '" + network.name + "' on machine '" + machine.name +
                                       "': found a program of " + std::to_string(sizes.commands) +
                                       " commands, expected at most " +
                                       std::to_string(kMaxCommands) +
                                       "; a smaller batch or larger buffers would help");
  }
  reserve(program, sizes);
  for (std::size_t i = 0; i < layers; ++i) {
    emit_layer(chosen[i].shape, program.layers[i].width_groups, chosen[i].choice.tiling,
               chosen[i].addresses, static_cast<std::uint32_t>(i), Detail::kAll, program);
  }
  return program;
}

}  // namespace bitpulse
