// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/pareto.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace bitpulse {

double objective_value(const PointMetrics& metrics, Objective objective) {
  switch (objective) {
    case Objective::kCycles:
      return metrics.cycles;
    case Objective::kTimeMs:
      return metrics.time_ms;
    case Objective::kEnergyPj:
      return metrics.energy_pj;
    case Objective::kAreaMm2:
      return metrics.area_mm2;
    case Objective::kEdp:
      return metrics.edp;
    case Objective::kAccuracy:
      break;
  }
  return -metrics.accuracy;
}

bool dominates(const PointMetrics& a, const PointMetrics& b,
               const std::vector<Objective>& objectives) {
  bool better = false;
  for (const Objective objective : objectives) {
    const double left = objective_value(a, objective), right = objective_value(b, objective);
    if (left > right) return false;
    better = better || left < right;
  }
  return better;
}

std::vector<std::int64_t> find_front(const std::vector<Row>& rows,
                                     const std::vector<Objective>& objectives) {
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0);
  // Nothing dominates what stands before it in lexicographic order.
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    for (const Objective objective : objectives) {
      const double left = objective_value(rows[a].metrics, objective);
      const double right = objective_value(rows[b].metrics, objective);
      if (left != right) return left < right;
    }
    return rows[a].point.id < rows[b].point.id;
  });
  std::vector<std::int64_t> dominated_by(rows.size(), -2);
  std::map<std::string, std::vector<std::size_t>> fronts;
  for (const std::size_t i : order) {
    if (rows[i].status != PointStatus::kDone) continue;
    std::vector<std::size_t>& front = fronts[rows[i].point.scope];
    const auto winner = std::find_if(front.begin(), front.end(), [&](std::size_t f) {
      return dominates(rows[f].metrics, rows[i].metrics, objectives);
    });
    dominated_by[i] = winner == front.end() ? -1 : static_cast<std::int64_t>(*winner);
    if (winner == front.end()) front.push_back(i);
  }
  return dominated_by;
}

}  // namespace bitpulse
