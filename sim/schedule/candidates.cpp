// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/candidates.h"

#include <algorithm>
#include <limits>

#include "models/units.h"

namespace bitpulse {

namespace {

constexpr std::int64_t kLeastPoolRun = 128;  // bits

/// How many of a size fit.
std::int64_t most_of(std::int64_t size, std::int64_t have) {
  return size > 0 ? have / size : std::numeric_limits<std::int64_t>::max();
}

}  // namespace

Candidates::Candidates(const LayerShape& shape, const LayerPlan& plan, const Machine& machine,
                       const Footprint& have)
    : shape_(shape),
      plan_(plan),
      groups_(plan.width_groups),
      have_(have),
      grid_(tile_grid(shape, groups_, machine.array)),
      need_(shape, groups_),
      bounds_(shape, groups_, machine),
      streams_k_(machine.array.dataflow == Dataflow::kOs) {
  pixels_.reserve(grid_.m.size());
  loads_.reserve(grid_.m.size());
  channels_.reserve(grid_.channels.size());
  k_cuts_.reserve(grid_.k.size());
  bounds_.reserve(grid_.m.size() + grid_.channels.size());
  for (const PixelTiling& m : grid_.m) {
    bounds_.add(pixels_.emplace_back(pixel_facts(shape, m)));
    loads_.emplace_back(shape, m);
  }
  for (const ChannelTiling& c : grid_.channels) {
    bounds_.add(channels_.emplace_back(channel_facts(shape, groups_, c)));
  }
  for (const std::int64_t k : grid_.k) k_cuts_.push_back(bounds_.k_cut(k));
  Tiling gathered = pair(0, 0);
  gathered.gather_outputs = true;
  most_gathered_ = most_of(need_.out_of_pixel(gathered), have_.out);
  offered_.reserve(channels_.size());
  for (std::size_t c = 0; c < channels_.size(); ++c) offered_.push_back(offered(c));
  keep_folds_ = shape.is_gemm && !machine.array.overlap && fits_whole();
}

/// Tiles become smaller, and more, from one pixel tiling to the next.
Candidates::Offered Candidates::offered(std::size_t c) const {
  const Tiling tiling = pair(0, c);
  std::int64_t most_pixels = most_of(need_.out_of_pixel(tiling), have_.out);
  if (shape_.is_gemm) {
    most_pixels = std::min(most_pixels, most_of(need_.sums_of_pixel(tiling), have_.sums));
  }
  const std::int64_t most_tiles = kMaxTiles / channels_[c].tiles;
  Offered range{0, pixels_.size()};
  // Pools cut pixels into runs a memory can serve, but where a single pixel is too large.
  const bool short_runs = c > 0 && grid_.channels[c].n * shape_.in.bits < kLeastPoolRun;
  if (!shape_.is_gemm && short_runs) range.first = range.end - 1;
  while (range.first < range.end && pixels_[range.first].size > most_pixels) ++range.first;
  while (range.first < range.end && pixels_[range.end - 1].count > most_tiles) --range.end;
  return range;
}

void Candidates::expand(std::size_t m, std::size_t c, std::uint64_t least,
                        std::vector<Candidate>& candidates) {
  const std::size_t first = candidates.size();
  const std::int64_t most_k = grid_.k.front();
  // Cuts of K' are for one convolution group, and shorten the streams of os.
  const bool may_cut_k = channels_[c].tiling.groups == 1 && !(keep_folds_ && streams_k_);
  const bool gather_fits = may_gather(m, c);
  Tiling tiling = pair(m, c);
  const bool act_fits = need_.act(tiling) <= have_.act;
  const PairBound shared = bounds_.pair(pixels_[m], loads_[m], channels_[c]);
  for (std::size_t i = 0; i < grid_.k.size(); ++i) {
    tiling.k = grid_.k[i];
    if (tiling.k < most_k && !may_cut_k) break;
    if (pixels_[m].count * channels_[c].tiles > kMaxTiles / ceil_div(most_k, tiling.k)) break;
    if (need_.weight(tiling) > have_.weight) continue;
    const bool act_tile_fits = tiling.k < most_k && act_tiles_fit(tiling);
    if (!act_fits && !act_tile_fits) continue;
    const KBound k = bounds_.k_tiles(shared, k_cuts_[i], tiling);
    if (act_fits) add_orders(tiling, shared, k, gather_fits, candidates);
    tiling.whole_act = false;
    if (act_tile_fits) add_orders(tiling, shared, k, gather_fits, candidates);
    tiling.whole_act = true;
  }
  for (std::size_t i = first; i < candidates.size(); ++i) {
    candidates[i].bound.cycles = std::max(candidates[i].bound.cycles, least);
  }
}

void Candidates::add_orders(Tiling tiling, const PairBound& pair, const KBound& k, bool gather_fits,
                            std::vector<Candidate>& candidates) {
  const auto add = [&](const LoadBound& loads, bool gather) {
    tiling.gather_outputs = gather;
    candidates.push_back({tiling, bounds_(pair, k, loads, gather)});
  };
  if (!must_gather()) {
    tiling.n_outer = true;
    add(bounds_.loads(pair, k, tiling), false);
  }
  if (pair.channels.tiles == 1) return;  // one order only
  tiling.n_outer = false;
  const LoadBound loads = bounds_.loads(pair, k, tiling);
  if (!must_gather() && pair.m.count > 1 && !same_loads(tiling, pair.loads.input())) {
    add(loads, false);
  }
  if (gather_fits) add(loads, true);
}

/// Whether input tiles of one K tile each may be loaded, and fit.
bool Candidates::act_tiles_fit(Tiling tiling) const {
  tiling.whole_act = false;
  return !shape_.in_kept && may_tile_act(shape_, groups_, grid_, tiling) &&
         need_.act(tiling) <= have_.act;
}

/// Whether both orders load the same: all weights again for every tile, the input only once.
bool Candidates::same_loads(const Tiling& tiling, const InputFacts& input) const {
  return shape_.is_gemm && tiling.k * 2 < groups_.front().k_packed && tiling.whole_act &&
         input.loads <= 2;
}

bool Candidates::fits_whole() const {
  Tiling whole = pair(0, 0);
  whole.k = grid_.k.front();
  const Footprint need = need_(whole);
  return need.act <= have_.act && need.weight <= have_.weight && need.out <= have_.out &&
         need.sums <= have_.sums;
}

Tiling Candidates::pair(std::size_t m, std::size_t c) const {
  Tiling tiling;
  tiling.m = grid_.m[m];
  tiling.groups = grid_.channels[c].groups;
  tiling.n = grid_.channels[c].n;
  tiling.gather_outputs = must_gather();
  return tiling;
}

}  // namespace bitpulse
