// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/search.h"

#include <algorithm>

#include "models/error.h"

namespace bitpulse {

namespace {

std::string kib(std::int64_t bits) {
  const std::int64_t bytes = (bits + 7) / 8;
  return bytes < 1024 ? std::to_string(bytes) + " B"
                      : std::to_string((bytes + 1023) / 1024) + " KiB";
}

[[noreturn]] void refuse(const Machine& machine, const LayerPlan& plan, const Footprint& need,
                         const Footprint& have) {
  const int acc_bits = machine.array.acc_bits;
  std::string text =
      "layer '" + plan.name + "' does not fit machine '" + machine.name + "': its smallest tile";
  const auto complain = [&](const char* what, const char* key, std::int64_t needed,
                            std::int64_t there) {
    if (needed <= there) return;
    text += std::string(" needs ") + kib(needed) + " of the " + kib(there) + " in half of the " +
            what + " buffer (raise buffers/" + key + " to " +
            std::to_string((2 * needed + 8191) / 8192) + ");";
  };
  complain("activation", "act_kib", need.act, have.act);
  complain("weight", "weight_kib", need.weight, have.weight);
  complain("output", "out_kib", need.out, have.out);
  complain("accumulator", "acc_kib", need.sums * acc_bits, have.sums * acc_bits);
  text.back() = '.';
  throw Error(ErrorKind::kInvalidInput, text);
}

}  // namespace

TilingSearch::TilingSearch(const Machine& machine, const ProgramCost& cost)
    : machine_(machine), cost_(cost), have_(half_capacity(machine)) {}

Tiling TilingSearch::choose(const LayerShape& shape, const LayerPlan& plan, const LayerAddresses&) {
  const TileGrid grid = tile_grid(shape, plan.width_groups, machine_.array);
  Footprint need;
  Tiling tiling;
  tiling.gather_outputs = plan.width_groups.size() > 1;
  for (const std::int64_t n : grid.n) {
    for (const PixelTiling& m : grid.m) {
      for (const std::int64_t k : grid.k) {
        tiling.m = m, tiling.n = n, tiling.k = k, tiling.whole_act = false;
        tiling.n_outer = !tiling.gather_outputs;
        need = footprint(shape, plan.width_groups, tiling);
        if (fits(need, have_)) return tiling;
      }
    }
  }
  refuse(machine_, plan, need, have_);
}

}  // namespace bitpulse
