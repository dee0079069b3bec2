// SPDX-License-Identifier: Apache-2.0
#include "sim/allocate/cost_tables.h"

#include <algorithm>
#include <map>
#include <string>

#include "models/error.h"
#include "quant/lower.h"
#include "sim/energy/energy.h"
#include "sim/fast/fast_engine.h"
#include "sim/schedule/compile.h"

namespace bitpulse {

namespace {

NetworkCost cost_of(const Program& program, const Technology& technology) {
  const RunResult result = FastEngine().run(program, {});
  NetworkCost cost;
  Counters counters;
  std::uint64_t cycles = 0;
  for (const CommandTime& time : result.times) cycles = std::max(cycles, time.finish);
  for (const Counters& layer : result.layers) counters += layer;
  cost.cycles = static_cast<double>(cycles);
  for (const auto& [component, energy] :
       price(counters, cycles, program.machine, technology).energy) {
    cost.energy_pj += energy.value;
  }
  return cost;
}

NetworkCost operator-(NetworkCost a, NetworkCost b) {
  return {a.cycles - b.cycles, a.energy_pj - b.energy_pj};
}

/// Measures one layer of the network at a time.
class Meter {
 public:
  Meter(const Workload& workload, const BitCandidates& candidates, const Machine& machine,
        const Technology& technology)
      : workload_(workload),
        candidates_(candidates),
        machine_(machine),
        technology_(technology),
        base_(candidates.layers.size()) {
    for (std::size_t l = 0; l < base_.size(); ++l) {
      base_[l] = candidates.layers[l].options.back();
    }
    structure_ = lower(with_bits(workload_, candidates_, base_));
  }

  const IntegerNetwork& structure() const { return structure_; }
  BitOption base(std::size_t layer) const { return base_[layer]; }

  /// Layer `index` of the structure where these candidates have other options than the base.
  NetworkCost operator()(std::size_t index,
                         const std::vector<std::pair<std::size_t, BitOption>>& changes) const {
    std::vector<BitOption> chosen = base_;
    for (const auto& [layer, option] : changes) chosen[layer] = option;
    const IntegerNetwork network = lower(with_bits(workload_, candidates_, chosen));
    if (network.layers.size() != structure_.layers.size()) {
      throw Error(ErrorKind::kInternal, "bit allocation: the layers change with their widths");
    }
    const auto at = static_cast<std::int64_t>(index);
    return cost_of(compile(network, machine_, {workload_.batch, at, at}, FastEngine::timer),
                   technology_);
  }

 private:
  const Workload& workload_;
  const BitCandidates& candidates_;
  const Machine& machine_;
  const Technology& technology_;
  std::vector<BitOption> base_;  // every layer's last option
  IntegerNetwork structure_;
};

TensorId input_of(const IntegerLayer& layer) {
  return std::visit([](const auto& op) { return op.input; }, layer.op);
}

/// Candidates by layer of the structure, and those whose input width a layer's stores have; of
/// candidates that are tied, the first.
class Readers {
 public:
  Readers(const IntegerNetwork& network, const BitCandidates& candidates)
      : tied_(candidates.layers.size()),
        own_(network.layers.size(), kNone),
        readers_(network.layers.size()) {
    for (std::size_t l = 0; l < tied_.size(); ++l) tied_[l] = {l};
    for (const std::vector<std::size_t>& tie : candidates.ties) {
      for (const std::size_t layer : tie) tied_[layer] = tie;
    }
    std::map<std::string, std::size_t> by_name;
    for (std::size_t l = 0; l < candidates.layers.size(); ++l) {
      by_name[candidates.layers[l].name] = l;
    }
    std::map<TensorId, std::vector<std::size_t>> of_tensor;  // layers that read it as input
    for (std::size_t j = 0; j < network.layers.size(); ++j) {
      of_tensor[input_of(network.layers[j])].push_back(j);
      const bool is_gemm = std::holds_alternative<GemmOp>(network.layers[j].op);
      if (is_gemm) own_[j] = by_name.at(network.layers[j].name);
    }
    for (std::size_t j = network.layers.size(); j-- > 0;) {  // readers come later
      for (const Store& store : network.layers[j].stores) {
        for (const std::size_t reader : of_tensor[store.tensor]) {
          if (own_[reader] != kNone) {
            readers_[j].push_back(tied_[own_[reader]].front());
          } else {  // a pool's input has the width that its readers want
            readers_[j].insert(readers_[j].end(), readers_[reader].begin(), readers_[reader].end());
          }
        }
      }
      std::sort(readers_[j].begin(), readers_[j].end());
      readers_[j].erase(std::unique(readers_[j].begin(), readers_[j].end()), readers_[j].end());
    }
  }

  static constexpr std::size_t kNone = ~std::size_t{0};
  std::size_t own(std::size_t layer) const { return own_[layer]; }
  const std::vector<std::size_t>& of(std::size_t layer) const { return readers_[layer]; }
  /// The candidates that change with this one, itself among them.
  const std::vector<std::size_t>& tied(std::size_t candidate) const { return tied_[candidate]; }

 private:
  std::vector<std::vector<std::size_t>> tied_;
  std::vector<std::size_t> own_;
  std::vector<std::vector<std::size_t>> readers_;
};

/// Adds a cost to both tables at once.
class Tables {
 public:
  explicit Tables(const BitCandidates& candidates) : candidates_(candidates) {
    for (Resource* resource : {&tables.cycles, &tables.energy_pj}) {
      for (const BitCandidate& layer : candidates.layers) {
        resource->cost.emplace_back(layer.options.size(), 0);
      }
    }
  }
  void add(NetworkCost cost) {
    tables.cycles.constant += cost.cycles;
    tables.energy_pj.constant += cost.energy_pj;
  }
  void add(std::size_t layer, std::size_t option, NetworkCost cost) {
    tables.cycles.cost[layer][option] += cost.cycles;
    tables.energy_pj.cost[layer][option] += cost.energy_pj;
  }
  void add(std::size_t a, std::size_t i, std::size_t b, std::size_t j, NetworkCost cost) {
    if (a > b) std::swap(a, b), std::swap(i, j);
    pair(tables.cycles, a, b).cost[i][j] += cost.cycles;
    pair(tables.energy_pj, a, b).cost[i][j] += cost.energy_pj;
  }
  CostTables tables;

 private:
  PairCost& pair(Resource& resource, std::size_t a, std::size_t b) {
    for (PairCost& pair : resource.pairs) {
      if (pair.first == a && pair.second == b) return pair;
    }
    const auto size = [&](std::size_t layer) { return candidates_.layers[layer].options.size(); };
    resource.pairs.push_back({a, b, {size(a), std::vector<double>(size(b), 0)}});
    return resource.pairs.back();
  }
  const BitCandidates& candidates_;
};

}  // namespace

CostTables cost_tables(const Workload& workload, const BitCandidates& candidates,
                       const Machine& machine, const Technology& technology) {
  const Meter measure(workload, candidates, machine, technology);
  const Readers readers(measure.structure(), candidates);
  Tables tables(candidates);
  const auto options = [&](std::size_t l) -> const std::vector<BitOption>& {
    return candidates.layers[l].options;
  };
  for (std::size_t j = 0; j < measure.structure().layers.size(); ++j) {
    const std::size_t own = readers.own(j);
    const bool is_gemm = own != Readers::kNone;
    // Only a layer's input width reaches the layers before it.
    const auto changed = [&](std::size_t reader, const std::vector<NetworkCost>& base,
                             const std::vector<BitOption>& of_own) {
      std::map<int, std::vector<NetworkCost>> by_width;
      for (std::size_t r = 0; r < options(reader).size(); ++r) {
        const BitOption option = options(reader)[r];
        if (option.activations == measure.base(reader).activations) continue;
        std::vector<NetworkCost>& costs = by_width[option.activations];
        for (std::size_t o = costs.size(); o < of_own.size(); ++o) {
          std::vector<std::pair<std::size_t, BitOption>> changes;
          for (const std::size_t tied : readers.tied(reader)) changes.emplace_back(tied, option);
          if (is_gemm) changes.emplace_back(own, of_own[o]);
          costs.push_back(measure(j, changes) - base[o]);
        }
        for (std::size_t o = 0; o < of_own.size(); ++o) {
          is_gemm ? tables.add(own, o, reader, r, costs[o]) : tables.add(reader, r, costs[o]);
        }
      }
    };
    std::vector<NetworkCost> base;
    const std::vector<BitOption> of_own = is_gemm ? options(own) : std::vector<BitOption>(1);
    for (std::size_t o = 0; o < of_own.size(); ++o) {
      base.push_back(is_gemm ? measure(j, {{own, of_own[o]}}) : measure(j, {}));
      is_gemm ? tables.add(own, o, base[o]) : tables.add(base[o]);
    }
    for (const std::size_t reader : readers.of(j)) {
      if (reader != own) changed(reader, base, of_own);
    }
  }
  return tables.tables;
}

NetworkCost simulate(const Workload& workload, const Machine& machine,
                     const Technology& technology) {
  return cost_of(compile(lower(workload), machine, {workload.batch, 0, -1}, FastEngine::timer),
                 technology);
}

}  // namespace bitpulse
