// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/search.h"

#include <algorithm>
#include <optional>
#include <tuple>

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

constexpr std::int64_t kLeastPoolRun = 128;  // bits

/// The candidates of a layer, pair by pair.
class Candidates {
 public:
  Candidates(const LayerShape& shape, const LayerPlan& plan, const Machine& machine,
             const Footprint& have)
      : shape_(shape),
        plan_(plan),
        groups_(plan.width_groups),
        have_(have),
        grid_(tile_grid(shape, groups_, machine.array)),
        need_(shape, groups_),
        bounds_(shape, groups_, machine),
        inputs_(grid_.m.size()),
        uncut_k_(machine.array.dataflow == Dataflow::kOs) {
    for (const PixelTiling& m : grid_.m) pixels_.push_back(pixel_facts(shape, m));
    for (const ChannelTiling& c : grid_.channels) {
      channels_.push_back(channel_facts(shape, groups_, c));
    }
    keep_folds_ = shape.is_gemm && !machine.array.overlap && fits_whole();
  }

  /// Calls visit(pixel, channel, bound) for the pairs whose sums and outputs fit.
  template <class Visit>
  void for_pairs(Visit&& visit) const {
    for (std::size_t c = 0; c < channels_.size(); ++c) {
      for (std::size_t m = 0; m < pixels_.size(); ++m) {
        // Pools cut pixels into runs a memory can serve, but where a single pixel is too large.
        if (!shape_.is_gemm && grid_.channels[c].n * shape_.in.bits < kLeastPoolRun && c > 0 &&
            m + 1 < pixels_.size()) {
          continue;
        }
        const Tiling tiling = pair(m, c);
        if (shape_.is_gemm && need_.sums(tiling) > have_.sums) continue;
        if (need_.out(tiling) > have_.out) continue;
        if (keep_folds_ &&
            bounds_.array_cycles(pixels_[m], channels_[c], false) != plan_.serial_array_cycles) {
          continue;
        }
        visit(m, c, bounds_.of_tiles(pixels_[m], channels_[c]));
      }
    }
  }

  /// Appends the candidates of a pair that fit.
  void expand(std::size_t m, std::size_t c, std::vector<Candidate>& candidates) {
    const std::int64_t most_k = grid_.k.front();
    const bool several_groups = channels_[c].tiling.groups > 1;
    Tiling tiling = pair(m, c);
    tiling.gather_outputs = true;
    const bool gather_fits = need_.out(tiling) <= have_.out;
    const std::uint64_t array[] = {bounds_.array_cycles(pixels_[m], channels_[c], false),
                                   bounds_.array_cycles(pixels_[m], channels_[c], true)};
    for (const std::int64_t k : grid_.k) {
      if (k < most_k && (several_groups || (keep_folds_ && uncut_k_))) break;
      tiling.k = k;
      if (need_.weight(tiling) > have_.weight) continue;
      tiling.whole_act = true;
      if (need_.act(tiling) <= have_.act)
        add_orders(tiling, m, c, gather_fits, array[k < most_k ? 1 : 0], candidates);
      if (k == most_k || !may_tile_act(shape_, groups_, grid_, tiling)) continue;
      tiling.whole_act = false;
      if (need_.act(tiling) <= have_.act)
        add_orders(tiling, m, c, gather_fits, array[k < most_k ? 1 : 0], candidates);
    }
  }

 private:
  bool must_gather() const { return groups_.size() > 1; }

  bool fits_whole() const {
    Tiling whole = pair(0, 0);
    whole.k = grid_.k.front();
    const Footprint need = need_(whole);
    return need.act <= have_.act && need.weight <= have_.weight && need.out <= have_.out &&
           need.sums <= have_.sums;
  }

  Tiling pair(std::size_t m, std::size_t c) const {
    Tiling tiling;
    tiling.m = grid_.m[m];
    tiling.groups = grid_.channels[c].groups;
    tiling.n = grid_.channels[c].n;
    tiling.gather_outputs = must_gather();
    return tiling;
  }

  void add_orders(Tiling tiling, std::size_t m, std::size_t c, bool gather_fits,
                  std::uint64_t array, std::vector<Candidate>& candidates) {
    if (!inputs_[m]) inputs_[m] = input_facts(shape_, grid_.m[m]);
    const auto add = [&](bool n_outer, bool gather) {
      tiling.n_outer = n_outer;
      tiling.gather_outputs = gather;
      candidates.push_back({tiling, bounds_(tiling, pixels_[m], *inputs_[m], channels_[c], array)});
    };
    if (!must_gather()) add(true, false);
    if (channels_[c].tiles == 1) return;  // one order only
    if (!must_gather() && pixels_[m].count > 1 && !same_loads(tiling, *inputs_[m])) {
      add(false, false);
    }
    if (gather_fits) add(false, true);
  }

  /// Whether both orders load the same: all weights again for every tile, the input only once.
  bool same_loads(const Tiling& tiling, const InputFacts& input) const {
    return shape_.is_gemm && tiling.k * 2 < groups_.front().k_packed && tiling.whole_act &&
           input.loads <= 2;
  }

  const LayerShape& shape_;
  const LayerPlan& plan_;
  const std::vector<WidthGroup>& groups_;
  const Footprint& have_;
  const TileGrid grid_;
  const FootprintOf need_;
  const LayerBounds bounds_;
  std::vector<PixelFacts> pixels_;
  std::vector<ChannelFacts> channels_;
  std::vector<std::optional<InputFacts>> inputs_;  // taken when first needed
  const bool uncut_k_;                             // os streams K': a cut would shorten streams
  bool keep_folds_ = false;                        // only tilings with the untiled GEMM's folds
};

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
  std::vector<Candidate> all;
  Candidates source(shape, plan, machine_, have_);
  source.for_pairs([&](std::size_t m, std::size_t c, std::uint64_t bound) {
    const std::size_t first = all.size();
    source.expand(m, c, all);
    for (std::size_t i = first; i < all.size(); ++i) {
      all[i].bound.cycles = std::max(all[i].bound.cycles, bound);
    }
  });
  return all;
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
  const Detail detail = machine_.dram.model == DramModel::kFixed ? Detail::kTiming : Detail::kAll;
  const std::uint64_t end =
      emit_layer(shape, trial_.layers.front().width_groups, tiling, addresses, 0, detail, trial_);
  trial_.dram_bytes = end / 8;
  Cost result;
  result.weight_bits = end - addresses.weights;
  result.cycles = cost_(trial_);
  for (const DmaCommand& dma : trial_.dma) result.bytes += dma.bytes;
  return result;
}

Choice TilingSearch::choose(const IntegerLayer& layer, const LayerShape& shape, LayerPlan& plan,
                            const LayerAddresses& addresses) {
  for (const Remembered& before : remembered_) {
    if (before.shape == shape && same_widths(*before.layer, layer)) return before.choice;
  }
  std::swap(plan, trial_.layers.front());
  const std::optional<Choice> choice = search(shape, addresses);
  std::swap(plan, trial_.layers.front());
  if (!choice) refuse(machine_, shape, plan, have_);
  remembered_.push_back({shape, &layer, *choice});
  return *choice;
}

bool TilingSearch::later(const Entry& a, const Entry& b) {
  return std::tie(a.bound, a.is_candidate, a.first, a.second) >
         std::tie(b.bound, b.is_candidate, b.first, b.second);
}

std::optional<Choice> TilingSearch::search(const LayerShape& shape,
                                           const LayerAddresses& addresses) {
  Candidates source(shape, trial_.layers.front(), machine_, have_);
  queue_.clear();
  source.for_pairs([&](std::size_t m, std::size_t c, std::uint64_t bound) {
    queue_.push_back({bound, false, static_cast<std::uint32_t>(m), static_cast<std::uint32_t>(c)});
  });
  std::make_heap(queue_.begin(), queue_.end(), later);
  candidates_.clear();
  Cost best{~std::uint64_t{0}, ~std::uint64_t{0}};
  std::optional<Choice> choice;
  while (!queue_.empty() && queue_.front().bound <= best.cycles) {
    std::pop_heap(queue_.begin(), queue_.end(), later);
    const Entry entry = queue_.back();
    queue_.pop_back();
    if (!entry.is_candidate) {
      const std::size_t first = candidates_.size();
      source.expand(entry.first, entry.second, candidates_);
      for (std::size_t i = first; i < candidates_.size(); ++i) {
        const std::uint64_t bound = std::max(candidates_[i].bound.cycles, entry.bound);
        queue_.push_back({bound, true, static_cast<std::uint32_t>(i), 0});
        std::push_heap(queue_.begin(), queue_.end(), later);
      }
      continue;
    }
    const Candidate& candidate = candidates_[entry.first];
    if (entry.bound == best.cycles && candidate.bound.bytes >= best.bytes) continue;
    const Cost cost = count(shape, candidate.tiling, addresses);
    if (std::tie(cost.cycles, cost.bytes) < std::tie(best.cycles, best.bytes)) {
      best = cost;
      choice = Choice{candidate.tiling, sizes_of(trial_), cost.weight_bits};
    }
  }
  return choice;
}

}  // namespace bitpulse
