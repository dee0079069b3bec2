// SPDX-License-Identifier: Apache-2.0
#include "sim/allocate/allocate.h"

#include <algorithm>
#include <limits>

#include "models/error.h"

namespace bitpulse {

namespace {

constexpr int kMostSolutions = 6;
constexpr std::size_t kLatency = 2, kEnergy = 3;  // of resources_

Resource weight_size(const BitCandidates& candidates) {
  Resource resource;
  resource.name = "size", resource.unit = "MiB";
  for (const BitCandidate& layer : candidates.layers) {
    std::vector<double>& cost = resource.cost.emplace_back();
    for (const BitOption option : layer.options) {
      cost.push_back(static_cast<double>(layer.parameters) * option.weights / 8 / (1 << 20));
    }
  }
  return resource;
}

Resource bit_operations(const BitCandidates& candidates, std::int64_t batch) {
  Resource resource;
  resource.name = "BOPS", resource.unit = "G";
  for (const BitCandidate& layer : candidates.layers) {
    std::vector<double>& cost = resource.cost.emplace_back();
    for (const BitOption option : layer.options) {
      cost.push_back(static_cast<double>(batch * layer.macs) * option.weights * option.activations *
                     1e-9);
    }
  }
  return resource;
}

Resource scaled(Resource resource, double factor, const char* name, const char* unit) {
  resource.name = name, resource.unit = unit;
  resource.constant *= factor;
  for (auto& layer : resource.cost) {
    for (double& cost : layer) cost *= factor;
  }
  for (PairCost& pair : resource.pairs) {
    for (auto& row : pair.cost) {
      for (double& cost : row) cost *= factor;
    }
  }
  return resource;
}

}  // namespace

Allocator::Allocator(const Workload& workload, const Weights& weights,
                     const Sensitivities& sensitivities, const Machine* machine,
                     const Technology* technology)
    : workload_(workload),
      machine_(machine),
      technology_(technology),
      candidates_(bit_candidates(workload, weights, sensitivities)) {
  resources_.push_back(weight_size(candidates_));
  resources_.push_back(bit_operations(candidates_, workload.batch));
  if (machine == nullptr) return;
  CostTables tables = cost_tables(workload, candidates_, *machine, *technology);
  resources_.push_back(
      scaled(std::move(tables.cycles), 1e-3 / machine->clock_mhz, "latency", "ms"));
  resources_.push_back(scaled(std::move(tables.energy_pj), 1e-6, "energy", "uJ"));
}

Allocation Allocator::operator()(const BitBudget& budget) const {
  std::vector<std::optional<double>> limits{budget.size_mib, budget.bops_g, budget.latency_ms,
                                            budget.energy_uj};
  if (machine_ == nullptr && (budget.latency_ms || budget.energy_uj)) {
    throw Error(ErrorKind::kInvalidInput,
                "bit allocation: found a budget of latency or energy, expected a machine beside it "
                "(--machine, or \"machine\" in \"bits\")");
  }
  limits.resize(resources_.size());
  return solve_within(limits);
}

Allocation Allocator::solve_within(const std::vector<std::optional<double>>& limits) const {
  std::vector<std::optional<double>> tightened = limits;
  Allocation allocation;
  allocation.candidates = candidates_;
  allocation.resources = resources_;
  for (allocation.solutions = 1;; ++allocation.solutions) {
    BitProgram program;
    for (const BitCandidate& layer : candidates_.layers) program.loss.push_back(layer.loss);
    program.ties = candidates_.ties;
    for (std::size_t r = 0; r < resources_.size(); ++r) {
      if (!tightened[r]) continue;
      program.resources.push_back(resources_[r]);
      program.resources.back().limit = *tightened[r];
    }
    const BitChoice choice = solve(program);
    allocation.loss = loss_of(program, choice);
    allocation.chosen.clear();
    for (std::size_t l = 0; l < choice.size(); ++l) {
      allocation.chosen.push_back(candidates_.layers[l].options[choice[l]]);
    }
    NetworkCost whole;
    if (machine_) whole = simulate(apply(allocation), *machine_, *technology_);
    allocation.budgets.clear();
    bool over = false;
    for (std::size_t r = 0; r < resources_.size(); ++r) {
      BudgetUse use{resources_[r].name, resources_[r].unit, limits[r], used(resources_[r], choice),
                    0};
      use.simulated = r == kLatency  ? whole.cycles * 1e-3 / machine_->clock_mhz
                      : r == kEnergy ? whole.energy_pj * 1e-6
                                     : use.predicted;
      if (limits[r] && use.simulated > *limits[r] * (1 + 1e-9)) {
        over = true;
        // What the tables left out is taken off the limit, and the chosen point with it.
        tightened[r] = std::min(*tightened[r], use.predicted) - (use.simulated - *limits[r]);
      }
      allocation.budgets.push_back(std::move(use));
    }
    if (!over) return allocation;
    if (allocation.solutions == kMostSolutions) {
      throw Error(ErrorKind::kInvalidInput,
                  "bit allocation: found no choice whose simulation keeps the budget in " +
                      std::to_string(kMostSolutions) + " solutions, expected a larger budget");
    }
  }
}

std::vector<Allocation> Allocator::front(std::size_t resource, int points) const {
  BitProgram program;
  for (const BitCandidate& layer : candidates_.layers) program.loss.push_back(layer.loss);
  program.ties = candidates_.ties;
  const BitChoice dearest = solve(program);
  program.resources = {resources_[resource]};
  const double low = least(program, 0), high = used(resources_[resource], dearest);
  std::vector<Allocation> all;
  for (int i = 0; i < points; ++i) {
    std::vector<std::optional<double>> limits(resources_.size());
    limits[resource] = low + (high - low) * (points == 1 ? 1.0 : i / (points - 1.0));
    try {
      all.push_back(solve_within(limits));
    } catch (const Error& error) {
      // The tables' cheapest choice may cost more when simulated.
      if (error.kind() != ErrorKind::kInvalidInput || i > 0) throw;
    }
  }
  return all;
}

}  // namespace bitpulse
