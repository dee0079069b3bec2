// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/nsga2.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <pagmo/algorithm.hpp>
#include <pagmo/algorithms/nsga2.hpp>
#include <pagmo/batch_evaluators/member_bfe.hpp>
#include <pagmo/bfe.hpp>
#include <pagmo/population.hpp>
#include <pagmo/problem.hpp>

#include "models/error.h"
#include "models/text.h"

namespace bitpulse {
namespace {

/// The sweep as Pagmo sees it: one integer per dimension that leaves a choice (Pagmo takes no
/// others), points evaluated in batches.
struct GridProblem {
  const SweepSpec* spec = nullptr;
  const EvaluateGeneration* evaluate = nullptr;

  std::size_t free_dimensions() const {
    const std::vector<std::uint64_t> sizes = spec->sizes();
    return static_cast<std::size_t>(
        std::count_if(sizes.begin(), sizes.end(), [](std::uint64_t size) { return size > 1; }));
  }
  std::vector<std::uint64_t> ids(const pagmo::vector_double& points) const {
    const std::vector<std::uint64_t> sizes = spec->sizes();
    std::vector<std::uint64_t> all;
    for (std::size_t at = 0; at < points.size();) {
      std::vector<std::uint32_t> choices;
      for (const std::uint64_t size : sizes) {
        choices.push_back(size > 1 ? static_cast<std::uint32_t>(std::lround(points[at++])) : 0);
      }
      all.push_back(spec->id_of(choices));
    }
    return all;
  }
  pagmo::vector_double batch_fitness(const pagmo::vector_double& points) const {
    pagmo::vector_double flat;
    for (const std::vector<double>& one : (*evaluate)(ids(points))) {
      flat.insert(flat.end(), one.begin(), one.end());
    }
    return flat;
  }
  pagmo::vector_double fitness(const pagmo::vector_double& point) const {
    return batch_fitness(point);
  }
  pagmo::vector_double::size_type get_nobj() const { return spec->objectives.size(); }
  pagmo::vector_double::size_type get_nix() const { return free_dimensions(); }
  std::pair<pagmo::vector_double, pagmo::vector_double> get_bounds() const {
    std::pair<pagmo::vector_double, pagmo::vector_double> bounds;
    for (const std::uint64_t size : spec->sizes()) {
      if (size == 1) continue;
      bounds.first.push_back(0);
      bounds.second.push_back(static_cast<double>(size - 1));
    }
    return bounds;
  }
};

}  // namespace

void search_nsga2(const SweepSpec& spec, const EvaluateGeneration& evaluate) {
  if (spec.objectives.size() < 2) {
    throw Error(
        ErrorKind::kInvalidInput,
        printable(spec.file, 400) + ": at /objectives: found one, expected two or more for nsga2");
  }
  const GridProblem grid{&spec, &evaluate};
  if (grid.free_dimensions() == 0) {
    throw Error(ErrorKind::kInvalidInput, printable(spec.file, 400) +
                                              ": at /axes: found a grid of one point, expected "
                                              "several for nsga2");
  }
  const auto seed = static_cast<unsigned>(spec.strategy.seed);
  const pagmo::problem problem{grid};
  const pagmo::bfe batches{pagmo::member_bfe{}};
  pagmo::population population{
      problem, batches, static_cast<pagmo::population::size_type>(spec.strategy.population), seed};
  pagmo::nsga2 nsga2(static_cast<unsigned>(spec.strategy.generations), 0.95, 10., 0.1, 50., seed);
  nsga2.set_bfe(batches);
  pagmo::algorithm{nsga2}.evolve(population);
}

}  // namespace bitpulse
