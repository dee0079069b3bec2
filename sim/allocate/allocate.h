// SPDX-License-Identifier: Apache-2.0
#pragma once

// HAWQ-V3's choice of bits (Yao et al., ICML 2021) on a machine of ours: least total sensitivity
// within budgets of size, BOPS, latency and energy. Latency and energy come from tables of the fast
// engine; the answer is then simulated whole, and where it is over a budget after all, the program
// is solved again with a tighter limit, at most five times.

#include <optional>
#include <string>
#include <vector>

#include "quant/allocate/bit_program.h"
#include "quant/allocate/candidates.h"
#include "sim/allocate/cost_tables.h"

namespace bitpulse {

struct BudgetUse {
  std::string name, unit;  // "latency", "ms"
  std::optional<double> limit;
  double predicted = 0;  // by the tables
  double simulated = 0;  // whole; size and BOPS are exact
};

struct Allocation {
  BitCandidates candidates;
  std::vector<BitOption> chosen;    // by candidate
  std::vector<Resource> resources;  // parallel to `budgets`; their limits are not set
  double loss = 0;                  // total of the chosen
  std::vector<BudgetUse> budgets;   // size, bops, and with a machine latency, energy
  int solutions = 1;                // times the program was solved
};

class Allocator {
 public:
  /// `machine` may be null where no budget needs it; else `technology` is given, too.
  ///
  /// errors  kInvalidInput: bit_candidates' and cost_tables'; a latency or energy budget without a
  ///         machine
  Allocator(const Workload& workload, const Weights& weights, const Sensitivities& sensitivities,
            const Machine* machine, const Technology* technology);

  /// errors  kInvalidInput: no choice keeps the budget; names the smallest that one does
  Allocation operator()(const BitBudget& budget) const;

  /// `points` allocations with limits of one resource evenly between the cheapest and the dearest
  /// choice: the front of loss against it. `resource`: index into Allocation::budgets.
  std::vector<Allocation> front(std::size_t resource, int points) const;

  Workload apply(const Allocation& allocation) const {
    return with_bits(workload_, candidates_, allocation.chosen);
  }

 private:
  Allocation solve_within(const std::vector<std::optional<double>>& limits) const;

  const Workload& workload_;
  const Machine* machine_;
  const Technology* technology_;
  BitCandidates candidates_;
  std::vector<Resource> resources_;  // size MiB, BOPS G, latency ms, energy uJ
};

}  // namespace bitpulse
