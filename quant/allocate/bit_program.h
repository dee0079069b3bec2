// SPDX-License-Identifier: Apache-2.0
#pragma once

// The choice of bits as an integer program (HAWQ-V3, Yao et al., ICML 2021, section 3.3): every
// layer takes one of its options, the sum of their losses is least, and no resource is used beyond
// its limit. A resource costs something per option, and something per pair of options of two layers
// that exchange a tensor; the pairs are linearized. Solved exactly by lp_solve (LGPL).

#include <cstddef>
#include <string>
#include <vector>

namespace bitpulse {

/// What an option of one layer and an option of another cost together.
struct PairCost {
  std::size_t first = 0, second = 0;      // layers, first < second
  std::vector<std::vector<double>> cost;  // [option of first][option of second]
};

struct Resource {
  std::string name, unit;
  double limit = 0;
  double constant = 0;                    // whatever is chosen
  std::vector<std::vector<double>> cost;  // [layer][option]
  std::vector<PairCost> pairs;            // at most one for two layers
};

struct BitProgram {
  std::vector<std::vector<double>> loss;  // [layer][option], finite
  std::vector<Resource> resources;
  std::vector<std::vector<std::size_t>> ties;  // layers that take the same option
};

/// The option of each layer.
using BitChoice = std::vector<std::size_t>;

double loss_of(const BitProgram& program, const BitChoice& choice);
double used(const Resource& resource, const BitChoice& choice);
/// No resource beyond its limit (relative 1e-9), and ties kept.
bool feasible(const BitProgram& program, const BitChoice& choice);

/// The choice of least loss; the same for the same program.
///
/// errors  kInvalidInput: nothing fits; names a resource whose limit cannot be met with its
///         smallest feasible value, or where limits contradict each other the smallest of each
///         beside the others. kLimit: not solved within `seconds`
BitChoice solve(const BitProgram& program, double seconds = 60);

/// The least value of `program.resources[index]` that any choice within the other limits has.
double least(const BitProgram& program, std::size_t index, double seconds = 60);

}  // namespace bitpulse
