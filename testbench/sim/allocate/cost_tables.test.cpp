// SPDX-License-Identifier: Apache-2.0
#include "sim/allocate/cost_tables.h"

#include <ctime>

#include "models/io/json.h"
#include "models/nets/nets.h"
#include "models/random.h"
#include "quant/float/float_executor.h"
#include "sim/energy/technology.h"
#include "sim/machine_reader.h"
#include "testbench/catch.h"
#include "testbench/quant/graphs.h"

namespace bitpulse {
namespace {

struct Case {
  Workload workload;
  BitCandidates candidates;
};

/// A network whose layers between the ends choose among 2, 4 and 8 bits.
Case choosing(Workload workload) {
  workload.quantization.first_last = 8;
  workload.quantization.auto_bits.emplace();
  const Weights weights = seeded_weights(workload.graph, workload.data, 1, 1);
  Sensitivities sensitivities;
  for (const auto& [name, tensor] : weights) {
    LayerSensitivity layer;
    layer.name = name.substr(0, name.rfind('.'));
    layer.parameters = static_cast<std::int64_t>(tensor.data.size());
    layer.trace = 1;
    if (tensor.dims.size() > 1) sensitivities.layers.push_back(layer);
  }
  BitCandidates candidates = bit_candidates(workload, weights, sensitivities);
  return {std::move(workload), std::move(candidates)};
}

Case network(const char* name) {
  Workload workload;
  workload.name = workload.network_name = name;
  workload.graph = build_network(name);
  return choosing(std::move(workload));
}

Machine machine(const std::string& name) {
  return read_machine(
      load_json(std::string(BITPULSE_SOURCE_DIR) + "/workloads/machines/" + name + ".json"));
}

BitChoice random_choice(const BitCandidates& candidates, RandomStream& random) {
  BitChoice choice;
  for (const BitCandidate& layer : candidates.layers) {
    const auto options = static_cast<std::int64_t>(layer.options.size());
    choice.push_back(static_cast<std::size_t>(random.integer(options)));
  }
  for (const std::vector<std::size_t>& tie : candidates.ties) {
    for (const std::size_t layer : tie) choice[layer] = choice[tie.front()];
  }
  return choice;
}

}  // namespace

TEST_CASE("tables of a residual network predict what the fast engine counts", "[sim][allocate]") {
  const auto* name = GENERATE("small", "resnet18");
  const auto* machine_name = GENERATE("fused-16x32-ws", "int4-32x32-os");
  CAPTURE(name, machine_name);
  const bool is_small = name == std::string("small");
  const Case net = is_small ? choosing(small_resnet().workload) : network(name);
  const Machine on = machine(machine_name);
  const Technology technology = load_technology(on.technology);
  const CostTables tables = cost_tables(net.workload, net.candidates, on, technology);
  REQUIRE_FALSE(net.candidates.ties.empty());
  RandomStream random{1};
  for (int i = 0; i < 10; ++i) {
    const BitChoice choice = random_choice(net.candidates, random);
    std::vector<BitOption> chosen;
    for (std::size_t l = 0; l < choice.size(); ++l)
      chosen.push_back(net.candidates.layers[l].options[choice[l]]);
    const NetworkCost whole =
        simulate(with_bits(net.workload, net.candidates, chosen), on, technology);
    CHECK(used(tables.cycles, choice) == whole.cycles);
    CHECK(used(tables.energy_pj, choice) == Approx(whole.energy_pj).epsilon(1e-12));
  }
}

TEST_CASE("how long the tables of ResNet-50 take", "[sim][allocate][.benchmark]") {
  const auto* machine_name = GENERATE("fused-16x32-ws", "int4-32x32-os");
  const Case net = network("resnet50");
  const Machine on = machine(machine_name);
  const Technology technology = load_technology(on.technology);
  const std::clock_t start = std::clock();
  const CostTables tables = cost_tables(net.workload, net.candidates, on, technology);
  WARN(machine_name << ": " << static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC
                    << " CPU seconds");
  CHECK(tables.cycles.cost.size() == 54);
}

}  // namespace bitpulse
