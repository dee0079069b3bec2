// SPDX-License-Identifier: Apache-2.0
#include "sim/cosim/reference.h"

#include <algorithm>

namespace bitpulse {
namespace {

std::string place(const StoredTensor& tensor, std::size_t index) {
  const auto c = static_cast<std::size_t>(tensor.shape.c);
  const auto w = static_cast<std::size_t>(tensor.shape.w);
  const auto h = static_cast<std::size_t>(tensor.shape.h);
  return "tensor " + tensor.name + ", image " + std::to_string(index / c / w / h) + ", row " +
         std::to_string(index / c / w % h) + ", column " + std::to_string(index / c % w) +
         ", channel " + std::to_string(index % c);
}

std::optional<std::string> differing_count(const std::string& layer, const char* name,
                                           std::uint64_t found, std::uint64_t expected) {
  if (found == expected) return std::nullopt;
  return "layer " + layer + ": found " + std::to_string(found) + ' ' + name + ", expected " +
         std::to_string(expected);
}

}  // namespace

std::vector<LayerAccumulation> accumulation_of(const Program& program, std::size_t network_layers) {
  std::vector<LayerAccumulation> accumulation(network_layers);
  for (const LayerPlan& plan : program.layers) {
    for (const WidthGroup& group : plan.width_groups) {
      accumulation[plan.layer].emplace_back(group.weight_bits, group.order);
    }
  }
  return accumulation;
}

ExecuteResult run_reference(const Program& program, const IntegerNetwork& network,
                            const TensorCodes& inputs, int threads) {
  ExecuteOptions options;
  options.threads = threads;
  options.keep_all_tensors = true;
  options.accumulation = accumulation_of(program, network.layers.size());
  options.first_layer = program.layers.front().layer;
  options.last_layer = program.layers.back().layer;
  return execute(network, inputs, program.batch, options);
}

std::optional<std::string> first_difference(const Program& program, const IntegerNetwork& network,
                                            const RunResult& result,
                                            const ExecuteResult& reference) {
  for (const LayerPlan& plan : program.layers) {
    for (const Store& store : network.layers[plan.layer].stores) {
      const auto tensor = static_cast<std::size_t>(store.tensor);
      const std::vector<std::int32_t>& found = result.tensors[tensor];
      const std::vector<std::int32_t>& expected = reference.tensors[tensor];
      const auto [f, e] =
          std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
      if (f == found.end() && e == expected.end()) continue;
      if (f == found.end() || e == expected.end()) {
        return "tensor " + network.tensors[tensor].name + ": found " +
               std::to_string(found.size()) + " elements, expected " +
               std::to_string(expected.size());
      }
      return place(network.tensors[tensor], static_cast<std::size_t>(f - found.begin())) +
             ": found " + std::to_string(*f) + ", expected " + std::to_string(*e);
    }
  }
  for (std::size_t i = 0; i < program.layers.size(); ++i) {
    const LayerPlan& plan = program.layers[i];
    const Counters& counters = result.layers[i];
    const OverflowCounts& expected = reference.overflow[plan.layer];
    for (auto difference :
         {differing_count(plan.name, "intermediate overflows", counters.overflow_intermediate,
                          expected.intermediate),
          differing_count(plan.name, "final overflows", counters.overflow_final,
                          expected.final_sum),
          differing_count(plan.name, "saturations", counters.saturations, expected.saturations)}) {
      if (difference) return difference;
    }
  }
  return std::nullopt;
}

}  // namespace bitpulse
