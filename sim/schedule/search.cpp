// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/search.h"

#include <algorithm>
#include <numeric>

#include "models/error.h"

namespace bitpulse {

namespace {

std::string kib(std::int64_t bits) {
  const std::int64_t bytes = (bits + 7) / 8;
  return bytes < 1024 ? std::to_string(bytes) + " B"
                      : std::to_string((bytes + 1023) / 1024) + " KiB";
}

/// Says what the smallest tile of each kind would need.
[[noreturn]] void refuse(const Machine& machine, const LayerShape& shape, const LayerPlan& plan,
                         const Footprint& have) {
  const TileGrid grid = tile_grid(shape, plan.width_groups, machine.array);
  Tiling smallest;
  smallest.m = grid.m.back();
  smallest.groups = grid.channels.back().groups;
  smallest.n = grid.channels.back().n;
  smallest.k = grid.k.back();
  smallest.whole_act = grid.k.size() == 1;
  smallest.gather_outputs = plan.width_groups.size() > 1;
  const Footprint need = FootprintOf(shape, plan.width_groups)(smallest);
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

bool same_widths(const IntegerLayer& a, const IntegerLayer& b) {
  const auto* x = std::get_if<GemmOp>(&a.op);
  const auto* y = std::get_if<GemmOp>(&b.op);
  if (x == nullptr || y == nullptr) return a.op.index() == b.op.index();
  return x->weight_bits == y->weight_bits;
}

}  // namespace

TilingSearch::TilingSearch(const Machine& machine, const ProgramCost& cost)
    : machine_(machine), cost_(cost), have_(half_capacity(machine)) {
  trial_.machine = machine;
  trial_.layers.resize(1);
}

std::vector<Candidate> TilingSearch::candidates(const LayerShape& shape, const LayerPlan& plan) {
  collect(shape, plan);
  return candidates_;
}

void TilingSearch::collect(const LayerShape& shape, const LayerPlan& plan) {
  const std::vector<WidthGroup>& groups = plan.width_groups;
  const TileGrid grid = tile_grid(shape, groups, machine_.array);
  const FootprintOf need(shape, groups);
  const LayerBounds bounds(shape, groups, machine_);
  const bool must_gather = groups.size() > 1;
  const std::int64_t most_k = grid.k.front();
  candidates_.clear();
  pixel_facts_.clear();
  for (const PixelTiling& m : grid.m) {
    const bool tiled_act = may_tile_act(shape, grid, m);
    bool known = false;  // facts of m, taken only where some tile fits
    for (const ChannelTiling& channel : grid.channels) {
      Tiling tiling;
      tiling.m = m;
      tiling.groups = channel.groups;
      tiling.n = channel.n;
      if (shape.is_gemm && need.sums(tiling) > have_.sums) continue;
      const bool out_fits = need.out(tiling) <= have_.out;
      tiling.gather_outputs = true;
      const bool gather_fits = need.out(tiling) <= have_.out;
      if (must_gather ? !gather_fits : !out_fits) continue;
      const ChannelFacts channel_of = channel_facts(shape, groups, channel);
      for (const std::int64_t k : grid.k) {
        if (channel.groups > 1 && k < most_k) break;
        tiling.k = k;
        if (need.weight(tiling) > have_.weight) continue;
        for (const bool whole : {true, false}) {
          if (!whole && (k == most_k || channel.groups > 1 || !tiled_act)) continue;
          tiling.whole_act = whole;
          if (need.act(tiling) > have_.act) continue;
          if (!known) {
            pixel_facts_.push_back(pixel_facts(shape, m));
            known = true;
          }
          const PixelFacts& pixels = pixel_facts_.back();
          const std::uint64_t array = bounds.array_cycles(pixels, channel_of, k < most_k);
          const auto add = [&](bool n_outer, bool gather) {
            tiling.n_outer = n_outer;
            tiling.gather_outputs = gather;
            candidates_.push_back({tiling, bounds(tiling, pixels, channel_of, array)});
          };
          if (!must_gather) add(true, false);
          if (channel_of.tiles == 1) continue;  // one order only
          if (!must_gather && pixels.count > 1) add(false, false);
          if (gather_fits) add(false, true);
        }
      }
    }
  }
}

TilingSearch::Cost TilingSearch::count(const LayerShape& shape, const Tiling& tiling,
                                       const LayerAddresses& addresses) {
  trial_.commands.clear();
  trial_.predecessors.clear();
  trial_.dma.clear();
  trial_.array.clear();
  trial_.vector.clear();
  trial_.patterns.clear();
  trial_.outputs.clear();
  trial_.weights.clear();
  const std::uint64_t end =
      emit_layer(shape, trial_.layers.front().width_groups, tiling, addresses, 0, trial_);
  trial_.dram_bytes = end / 8;
  Cost result;
  result.cycles = cost_(trial_);
  for (const DmaCommand& dma : trial_.dma) result.bytes += dma.bytes;
  return result;
}

Tiling TilingSearch::choose(const IntegerLayer& layer, const LayerShape& shape, LayerPlan& plan,
                            const LayerAddresses& addresses) {
  for (const Remembered& before : remembered_) {
    if (before.shape == shape && same_widths(*before.layer, layer)) return before.tiling;
  }
  collect(shape, plan);
  if (candidates_.empty()) refuse(machine_, shape, plan, have_);
  std::swap(plan, trial_.layers.front());
  const Tiling tiling = search(shape, addresses);
  std::swap(plan, trial_.layers.front());
  remembered_.push_back({shape, &layer, tiling});
  return tiling;
}

Tiling TilingSearch::search(const LayerShape& shape, const LayerAddresses& addresses) {
  // A heap with the lowest bound on top; ties in the order of the grid.
  const auto later = [this](std::size_t a, std::size_t b) {
    const std::uint64_t ca = candidates_[a].bound.cycles, cb = candidates_[b].bound.cycles;
    return ca != cb ? ca > cb : a > b;
  };
  std::vector<std::size_t> heap(candidates_.size());
  std::iota(heap.begin(), heap.end(), std::size_t{0});
  std::make_heap(heap.begin(), heap.end(), later);

  Cost best{~std::uint64_t{0}, ~std::uint64_t{0}};
  std::size_t choice = heap.front();
  while (!heap.empty()) {
    const Candidate& candidate = candidates_[heap.front()];
    if (candidate.bound.cycles > best.cycles) break;
    const bool may_win = candidate.bound.cycles < best.cycles || candidate.bound.bytes < best.bytes;
    if (may_win) {
      const Cost cost = count(shape, candidate.tiling, addresses);
      if (cost.cycles < best.cycles || (cost.cycles == best.cycles && cost.bytes < best.bytes)) {
        best = cost;
        choice = heap.front();
      }
    }
    std::pop_heap(heap.begin(), heap.end(), later);
    heap.pop_back();
  }
  return candidates_[choice].tiling;
}

}  // namespace bitpulse
