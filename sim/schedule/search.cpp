// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/search.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <tuple>

#include "models/error.h"

namespace bitpulse {

namespace {

/// A probe's bound lies within one part in so many of the least.
constexpr std::uint64_t kProbeParts = 200;

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
  std::string text = place_in(machine, "/buffers") + ": layer '" + plan.name +
                     "' does not fit machine '" + machine.name + "': its smallest tile";
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
  if (text.back() != ';') {
    throw Error(ErrorKind::kLimit,
                place_in(machine, "/buffers") + ": layer '" + plan.name +
                    "': found no tiling whose tiles fit, expected one of at most " +
                    std::to_string(kMaxTiles) +
                    " tiles; a smaller batch or larger buffers would help");
  }
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

TilingSearch::TilingSearch(const Machine& machine, CommandTimer& timer)
    : machine_(machine), timer_(timer), have_(half_capacity(machine)) {
  scratch_.machine = machine;
  scratch_.layers.resize(1);
}

std::vector<Candidate> TilingSearch::candidates(const LayerShape& shape, const LayerPlan& plan) {
  std::vector<Candidate> all;
  Candidates source(shape, plan, machine_, have_);
  source.for_pairs([&](std::size_t m, std::size_t c) {
    const std::optional<std::uint64_t> bound = source.bound(m, c);
    if (bound) source.expand(m, c, *bound, all);
  });
  return all;
}

std::optional<Choice> TilingSearch::count(const LayerShape& shape, const Candidate& candidate,
                                          const LayerAddresses& addresses, std::uint64_t limit) {
  timer_.reset();
  scratch_.weights.clear();
  Trial trial(timer_, machine_.dram.model == DramModel::kBanked, tiles_);
  trial.limit = limit;
  trial.unhindered = candidate.bound.unhindered;
  const std::uint64_t end = emit_layer(shape, scratch_.layers.front().width_groups,
                                       candidate.tiling, addresses, 0, scratch_, &trial);
  if (trial.exceeds()) return std::nullopt;
  return Choice{candidate.tiling, trial.sizes, end - addresses.weights, trial.cycles,
                trial.dram_bytes};
}

const Tally& TilingSearch::tally(const IntegerLayer& layer, const LayerShape& shape,
                                 LayerPlan& plan, const LayerAddresses& addresses,
                                 CountCommand count_command) {
  Remembered& chosen = *recall(layer, shape, addresses);  // it has been chosen
  if (chosen.tally) return *chosen.tally;
  std::swap(plan, scratch_.layers.front());
  timer_.reset();
  chosen.tally.emplace().count = count_command;
  Trial trial(timer_, false, tiles_);
  trial.tally = &*chosen.tally;
  emit_layer(shape, scratch_.layers.front().width_groups, chosen.choice->tiling, addresses, 0,
             scratch_, &trial);
  chosen.tally->totals.layer.cycles = trial.cycles;
  std::swap(plan, scratch_.layers.front());
  return *chosen.tally;
}

TilingSearch::Remembered* TilingSearch::recall(const IntegerLayer& layer, const LayerShape& shape,
                                               const LayerAddresses& addresses) {
  have_ = half_capacity(machine_, addresses.act_slots);
  if (shape.in_kept) have_.act = 0;  // it needs none
  for (Remembered& before : remembered_) {
    if (before.least_act <= have_.act && have_.act <= before.most_act && before.shape == shape &&
        same_widths(*before.layer, layer)) {
      return &before;
    }
  }
  return nullptr;
}

Choice TilingSearch::choose(const IntegerLayer& layer, const LayerShape& shape, LayerPlan& plan,
                            const LayerAddresses& addresses) {
  const std::optional<Choice> choice = try_choose(layer, shape, plan, addresses);
  if (!choice) refuse(machine_, shape, plan, have_);
  return *choice;
}

std::optional<Choice> TilingSearch::try_choose(const IntegerLayer& layer, const LayerShape& shape,
                                               LayerPlan& plan, const LayerAddresses& addresses) {
  if (const Remembered* before = recall(layer, shape, addresses)) return before->choice;
  std::swap(plan, scratch_.layers.front());
  const std::optional<Choice> choice = search(shape, addresses);
  std::swap(plan, scratch_.layers.front());
  // Where folds are not bound to what fits, the best of all candidates is that of fewer, too.
  std::int64_t least_act = 0;
  if (choice) {
    least_act = machine_.array.overlap ? FootprintOf(shape, plan.width_groups).act(choice->tiling)
                                       : have_.act;
  }
  remembered_.push_back({shape, &layer, least_act, have_.act, choice, std::nullopt});
  return choice;
}

void TilingSearch::push(const Entry& entry) {
  queue_.push_back(entry);
  std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
}

TilingSearch::Entry TilingSearch::pop() {
  std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
  const Entry entry = queue_.back();
  queue_.pop_back();
  return entry;
}

void TilingSearch::refine(Candidates& source, const Entry& pair, std::uint64_t limit) {
  const std::size_t m = pair.first(), c = pair.second();
  if (pair.turn() == Turn::kPair) return source.expand(m, c, pair.bound, candidates_);
  const std::optional<std::uint64_t> bound = source.bound(m, c);
  if (bound && *bound <= limit) push({*bound, Turn::kPair, m, c});
}

void TilingSearch::queue_candidates(std::size_t first, std::uint64_t limit) {
  for (std::size_t i = first; i < candidates_.size(); ++i) {
    const std::uint64_t bound = candidates_[i].bound.cycles;
    if (bound <= limit) push({bound, Turn::kCandidate, i});
  }
}

std::size_t TilingSearch::find_probe(std::uint64_t least) const {
  const std::uint64_t low = least + least / kProbeParts;
  std::size_t probe = candidates_.size();
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const TilingBound& bound = candidates_[i].bound;
    if (bound.cycles > low) continue;
    if (probe == candidates_.size() || bound.steps < candidates_[probe].bound.steps) probe = i;
  }
  return probe;
}

std::optional<Choice> TilingSearch::search(const LayerShape& shape,
                                           const LayerAddresses& addresses) {
  constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};
  Candidates source(shape, scratch_.layers.front(), machine_, have_);
  queue_.clear();
  source.for_pairs([&](std::size_t m, std::size_t c) {
    queue_.emplace_back(source.rough_bound(m, c), Turn::kRoughPair, m, c);
  });
  std::make_heap(queue_.begin(), queue_.end(), std::greater<>());
  candidates_.clear();
  // Candidates are not worth queueing before a probe has limited them.
  std::uint64_t least = kNoLimit;
  while (!queue_.empty() && queue_.front().bound <= least) {
    const std::size_t first = candidates_.size();
    refine(source, pop(), kNoLimit);
    for (std::size_t i = first; i < candidates_.size(); ++i) {
      least = std::min(least, candidates_[i].bound.cycles);
    }
  }
  if (candidates_.empty()) return std::nullopt;
  const std::size_t probe = find_probe(least);
  std::size_t chosen = probe;
  Choice best = *count(shape, candidates_[probe], addresses, kNoLimit);
  const auto beats_best = [&](std::uint64_t cycles, std::uint64_t bytes, std::size_t i) {
    return std::tie(cycles, bytes, candidates_[i].bound.cycles, i) <
           std::tie(best.cycles, best.dram_bytes, candidates_[chosen].bound.cycles, chosen);
  };
  queue_candidates(0, best.cycles);
  while (!queue_.empty() && queue_.front().bound <= best.cycles) {
    const Entry entry = pop();
    if (entry.turn() != Turn::kCandidate) {
      const std::size_t first = candidates_.size();
      refine(source, entry, best.cycles);
      queue_candidates(first, best.cycles);
      continue;
    }
    const std::size_t i = entry.first();
    if (i == probe) continue;
    const TilingBound& bound = candidates_[i].bound;
    // Of as many cycles as the best it might be no better.
    const std::uint64_t limit = best.cycles - (beats_best(best.cycles, bound.bytes, i) ? 0 : 1);
    if (bound.cycles > limit) continue;
    const std::optional<Choice> choice = count(shape, candidates_[i], addresses, limit);
    if (choice && beats_best(choice->cycles, choice->dram_bytes, i)) {
      best = *choice;
      chosen = i;
    }
  }
  return best;
}

}  // namespace bitpulse
