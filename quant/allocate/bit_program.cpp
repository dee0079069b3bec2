// SPDX-License-Identifier: Apache-2.0
#include "quant/allocate/bit_program.h"

#include <lpsolve/lp_lib.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <sstream>

#include "models/error.h"

namespace bitpulse {

namespace {

constexpr double kTolerance = 1e-9;

bool within(double value, double limit) {
  return value <= limit + kTolerance * std::max(1.0, std::abs(limit));
}

std::string text(double value) {
  std::ostringstream out;
  out.precision(6);
  out << value;
  return out.str();
}

/// Layers that take the same option are one variable.
std::vector<std::size_t> leaders(const BitProgram& program) {
  std::vector<std::size_t> leader(program.loss.size());
  std::iota(leader.begin(), leader.end(), 0);
  for (const std::vector<std::size_t>& tie : program.ties) {
    std::size_t least = leader.size();
    for (const std::size_t layer : tie) least = std::min(least, leader[layer]);
    for (const std::size_t layer : tie) {
      const std::size_t old = leader[layer];
      std::replace(leader.begin(), leader.end(), old, least);
    }
  }
  return leader;
}

/// One linear program: columns are x[layer][option] and, for pairs, y[option][option].
class Solver {
 public:
  explicit Solver(const BitProgram& program) : program_(program), leader_(leaders(program)) {
    int columns = 0;
    for (std::size_t layer = 0; layer < leader_.size(); ++layer) {
      first_.push_back(columns + 1);
      if (leader_[layer] == layer) columns += options(layer);
    }
    for (std::size_t layer = 0; layer < leader_.size(); ++layer) {
      first_[layer] = first_[leader_[layer]];
    }
    choices_ = columns;
    for (std::size_t r = 0; r < program.resources.size(); ++r) {
      for (const PairCost& pair : program.resources[r].pairs) add_pair(pair, columns);
    }
    lp_.reset(make_lp(0, columns));
    if (!lp_) throw Error(ErrorKind::kInternal, "lp_solve: no memory");
    set_verbose(lp_.get(), NEUTRAL);
    set_add_rowmode(lp_.get(), TRUE);
    one_option_each();
    for (const Joint& joint : joints_) marginals(joint);
    for (const Resource& resource : program.resources) limit_row(resource);
    set_add_rowmode(lp_.get(), FALSE);
    for (int c = 1; c <= choices_; ++c) set_binary(lp_.get(), c, TRUE);
    set_mip_gap(lp_.get(), TRUE, 0);
    set_mip_gap(lp_.get(), FALSE, 0);
    set_presolve(lp_.get(), PRESOLVE_NONE, 0);
  }

  /// The best choice for `objective` ([layer][option] and pairs); none: infeasible.
  std::optional<BitChoice> minimize(const std::vector<std::vector<double>>& costs,
                                    const std::vector<PairCost>& pairs, double seconds) {
    std::vector<double> row(static_cast<std::size_t>(get_Ncolumns(lp_.get())) + 1, 0);
    accumulate(costs, pairs, row);
    // The solver's tolerances are absolute: the largest coefficient becomes 1000.
    const double largest = *std::max_element(
        row.begin(), row.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
    if (largest != 0) {
      for (double& value : row) value *= 1000 / std::abs(largest);
    }
    set_obj_fn(lp_.get(), row.data());
    set_minim(lp_.get());
    set_timeout(lp_.get(), std::max(1L, std::lround(seconds)));
    const int status = ::solve(lp_.get());
    if (status == INFEASIBLE) return std::nullopt;
    if (status != OPTIMAL && status != PRESOLVED) {
      throw Error(ErrorKind::kLimit, "bit allocation: lp_solve found no proven optimum (status " +
                                         std::to_string(status) + ") in " + text(seconds) +
                                         " seconds");
    }
    std::vector<double> values(static_cast<std::size_t>(get_Ncolumns(lp_.get())));
    get_variables(lp_.get(), values.data());
    BitChoice choice;
    for (std::size_t layer = 0; layer < leader_.size(); ++layer) {
      const auto begin = values.begin() + first_[layer] - 1;
      choice.push_back(
          static_cast<std::size_t>(std::max_element(begin, begin + options(layer)) - begin));
    }
    return choice;
  }

 private:
  struct Joint {
    std::size_t first, second;  // leaders
    int column;                 // of option 0, option 0
  };
  struct Free {
    void operator()(lprec* lp) const { delete_lp(lp); }
  };

  int options(std::size_t layer) const { return static_cast<int>(program_.loss[layer].size()); }

  void add_pair(const PairCost& pair, int& columns) {
    std::size_t a = leader_[pair.first], b = leader_[pair.second];
    if (a == b) return;
    if (a > b) std::swap(a, b);
    if (find(a, b)) return;
    joints_.push_back({a, b, columns + 1});
    columns += options(a) * options(b);
  }

  const Joint* find(std::size_t a, std::size_t b) const {
    for (const Joint& joint : joints_) {
      if (joint.first == a && joint.second == b) return &joint;
    }
    return nullptr;
  }

  void one_option_each() {
    for (std::size_t layer = 0; layer < leader_.size(); ++layer) {
      if (leader_[layer] != layer) continue;
      std::vector<int> columns(static_cast<std::size_t>(options(layer)));
      std::iota(columns.begin(), columns.end(), first_[layer]);
      std::vector<double> ones(columns.size(), 1);
      add_constraintex(lp_.get(), options(layer), ones.data(), columns.data(), EQ, 1);
    }
  }

  /// Each option of one layer has as much of the pair's columns as of its own.
  void marginals(const Joint& joint) {
    const int rows = options(joint.first), cols = options(joint.second);
    const auto equal = [&](int own, int from, int step, int count) {
      std::vector<int> columns{own};
      std::vector<double> factors{-1};
      for (int i = 0; i < count; ++i) {
        columns.push_back(from + i * step);
        factors.push_back(1);
      }
      add_constraintex(lp_.get(), count + 1, factors.data(), columns.data(), EQ, 0);
    };
    for (int o = 0; o < rows; ++o) {
      equal(first_[joint.first] + o, joint.column + o * cols, 1, cols);
    }
    for (int o = 0; o < cols; ++o) equal(first_[joint.second] + o, joint.column + o, cols, rows);
  }

  void accumulate(const std::vector<std::vector<double>>& costs, const std::vector<PairCost>& pairs,
                  std::vector<double>& row) const {
    const auto at = [&](int column) -> double& { return row[static_cast<std::size_t>(column)]; };
    for (std::size_t layer = 0; layer < costs.size(); ++layer) {
      for (int o = 0; o < options(layer); ++o) {
        at(first_[layer] + o) += costs[layer][static_cast<std::size_t>(o)];
      }
    }
    for (const PairCost& pair : pairs) {
      const std::size_t a = leader_[pair.first], b = leader_[pair.second];
      for (int i = 0; i < options(a); ++i) {
        for (int j = 0; j < options(b); ++j) {
          const double cost = pair.cost[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
          if (a == b) {
            if (i == j) at(first_[a] + i) += cost;
            continue;
          }
          const Joint& joint = *find(std::min(a, b), std::max(a, b));
          const int width = options(joint.second);
          at(joint.column + (a < b ? i * width + j : j * width + i)) += cost;
        }
      }
    }
  }

  void limit_row(const Resource& resource) {
    std::vector<double> row(static_cast<std::size_t>(get_Ncolumns(lp_.get())) + 1, 0);
    accumulate(resource.cost, resource.pairs, row);
    const double limit = resource.limit - resource.constant;
    const double scale = 1000 / std::max(std::abs(limit), 1e-300);
    for (double& value : row) value *= scale;
    add_constraint(lp_.get(), row.data(), LE, limit * scale + kTolerance);
  }

  const BitProgram& program_;
  const std::vector<std::size_t> leader_;
  std::vector<int> first_;  // column of each layer's option 0
  int choices_ = 0;
  std::vector<Joint> joints_;
  std::unique_ptr<lprec, Free> lp_;
};

constexpr const char* kContradiction =
    "bit allocation: found budgets that can each be met but not all at once";

/// `least`; nothing where the other limits contradict each other.
std::optional<double> least_within_others(const BitProgram& program, std::size_t index,
                                          double seconds) {
  BitProgram others = program;
  const Resource& resource = program.resources[index];
  double most = std::abs(resource.constant);
  for (const auto& layer : resource.cost) {
    for (const double cost : layer) most += std::abs(cost);
  }
  for (const PairCost& pair : resource.pairs) {
    for (const auto& row : pair.cost) {
      for (const double cost : row) most += std::abs(cost);
    }
  }
  others.resources[index].limit = 2 * most + 1;  // never binding
  const auto choice = Solver(others).minimize(resource.cost, resource.pairs, seconds);
  if (!choice) return std::nullopt;
  return used(resource, *choice);
}

/// Says which limit is too small, or by how much each one is beside the others.
[[noreturn]] void refuse(const BitProgram& program, double seconds) {
  for (const Resource& resource : program.resources) {
    BitProgram alone;
    alone.loss = program.loss;
    alone.ties = program.ties;
    alone.resources = {resource};
    const double smallest = least(alone, 0, seconds);
    if (within(smallest, resource.limit)) continue;
    throw Error(ErrorKind::kInvalidInput, "bit allocation: found " + text(resource.limit) + " " +
                                              resource.unit + " as budget of " + resource.name +
                                              ", expected at least " + text(smallest) +
                                              ", the smallest that any choice of bits has");
  }
  std::string smallest;
  for (std::size_t r = 0; r < program.resources.size(); ++r) {
    const Resource& resource = program.resources[r];
    if (const auto value = least_within_others(program, r, seconds)) {
      smallest += (smallest.empty() ? ", expected at least " : ", or ") + text(*value) + " " +
                  resource.unit + " of " + resource.name;
    }
  }
  throw Error(ErrorKind::kInvalidInput, kContradiction + smallest);
}

}  // namespace

double loss_of(const BitProgram& program, const BitChoice& choice) {
  double sum = 0;
  for (std::size_t layer = 0; layer < choice.size(); ++layer) {
    sum += program.loss[layer][choice[layer]];
  }
  return sum;
}

double used(const Resource& resource, const BitChoice& choice) {
  double sum = resource.constant;
  for (std::size_t layer = 0; layer < choice.size(); ++layer) {
    sum += resource.cost[layer][choice[layer]];
  }
  for (const PairCost& pair : resource.pairs) {
    sum += pair.cost[choice[pair.first]][choice[pair.second]];
  }
  return sum;
}

bool feasible(const BitProgram& program, const BitChoice& choice) {
  for (const Resource& resource : program.resources) {
    if (!within(used(resource, choice), resource.limit)) return false;
  }
  for (const std::vector<std::size_t>& tie : program.ties) {
    for (const std::size_t layer : tie) {
      if (choice[layer] != choice[tie.front()]) return false;
    }
  }
  return true;
}

BitChoice solve(const BitProgram& program, double seconds) {
  const std::optional<BitChoice> choice = Solver(program).minimize(program.loss, {}, seconds);
  if (!choice) refuse(program, seconds);
  if (!feasible(program, *choice)) {
    throw Error(ErrorKind::kInternal, "bit allocation: lp_solve's optimum breaks a limit");
  }
  return *choice;
}

double least(const BitProgram& program, std::size_t index, double seconds) {
  const auto value = least_within_others(program, index, seconds);
  if (!value) throw Error(ErrorKind::kInvalidInput, kContradiction);
  return *value;
}

}  // namespace bitpulse
