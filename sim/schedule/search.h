// SPDX-License-Identifier: Apache-2.0
#pragma once

// The choice of a layer's tiling. The rule: of all candidates of the layer's tile grid whose tiles
// fit half of each buffer, in either loop order, the one with the fewest cycles; of those the one
// with the least DRAM traffic; of those the first in the order of the search. Cycles are those of
// the layer alone, from an idle machine to its last store, as layers do not overlap; with `fixed`
// memory they are also the layer's cycles in the network.
//
// The search is exact: pairs of a pixel and a channel tiling, and then their candidates, are taken
// in the order of a lower bound and the candidates counted by an engine, until no bound is below
// the best count. Neither the grid nor a candidate's commands depend on the buffer sizes, so the
// choice with bigger buffers is never slower than the choice with smaller ones.

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "sim/schedule/candidates.h"
#include "sim/schedule/emit.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/program_sizes.h"
#include "sim/schedule/tiling.h"

namespace bitpulse {

/// What a layer's commands will be.
struct Choice {
  Tiling tiling;
  ProgramSizes sizes;
  std::uint64_t weight_bits = 0;  // of its blocks in DRAM
  std::uint64_t cycles = 0, dram_bytes = 0;
};

class TilingSearch {
 public:
  /// Keeps references to both, and to the layers it has seen.
  TilingSearch(const Machine& machine, CommandTimer& timer);

  /// The choice for `plan`, remembered for equal layers. The plan's width groups are lent to trial
  /// programs and come back unchanged.
  ///
  /// errors  kInvalidInput: not even the smallest tile fits; layer, need, have, what helps; kLimit:
  ///         what fits is more than kMaxTiles
  Choice choose(const IntegerLayer& layer, const LayerShape& shape, LayerPlan& plan,
                const LayerAddresses& addresses);

  /// The same; none where no tiling fits.
  std::optional<Choice> try_choose(const IntegerLayer& layer, const LayerShape& shape,
                                   LayerPlan& plan, const LayerAddresses& addresses);

  /// What the commands of a choice do, with `fixed` memory; remembered and lent as above.
  const Tally& tally(const IntegerLayer& layer, const LayerShape& shape, LayerPlan& plan,
                     const LayerAddresses& addresses, CountCommand count_command);

  /// All candidates that fit, in the order of the grid.
  std::vector<Candidate> candidates(const LayerShape& shape, const LayerPlan& plan);

 private:
  struct Remembered {
    LayerShape shape;
    const IntegerLayer* layer = nullptr;       // whose weight widths count too
    std::int64_t least_act = 0, most_act = 0;  // bits for input tiles for which it is the choice
    std::optional<Choice> choice;
    std::optional<Tally> tally;  // of the choice
  };
  /// What is remembered of an equal layer; null: nothing. Sets `have_`.
  Remembered* recall(const IntegerLayer& layer, const LayerShape& shape,
                     const LayerAddresses& addresses);
  /// What the search does next: bound a pair of tilings better, expand one, or count a candidate.
  enum class Turn : std::uint8_t { kRoughPair, kPair, kCandidate };
  struct Entry {
    std::uint64_t bound = 0;
    std::uint64_t rank = 0;  // among equal bounds: the turn, then what it is about
    Entry(std::uint64_t least, Turn turn, std::size_t a, std::size_t b = 0)
        : bound(least), rank(std::uint64_t(turn) << 62 | std::uint64_t{a} << 31 | b) {}
    Turn turn() const { return static_cast<Turn>(rank >> 62); }
    std::size_t first() const { return rank >> 31 & 0x7fffffff; }  // pixel tiling, or candidate
    std::size_t second() const { return rank & 0x7fffffff; }       // channel tiling
    friend bool operator>(const Entry& a, const Entry& b) {
      return a.bound != b.bound ? a.bound > b.bound : a.rank > b.rank;
    }
  };
  void push(const Entry& entry);
  Entry pop();
  /// Bounds a pair better, or makes its candidates.
  void refine(Candidates& source, const Entry& pair, std::uint64_t limit);
  void queue_candidates(std::size_t first, std::uint64_t limit);
  /// Which candidate to count first, given the least of their bounds: its cycles limit all others'
  /// trials. With few steps its count is cheap, with a low bound it is likely to be good.
  std::size_t find_probe(std::uint64_t least) const;
  std::optional<Choice> search(const LayerShape& shape, const LayerAddresses& addresses);
  /// None if it takes more than `limit` cycles.
  std::optional<Choice> count(const LayerShape& shape, const Candidate& candidate,
                              const LayerAddresses& addresses, std::uint64_t limit);

  const Machine& machine_;
  CommandTimer& timer_;
  Footprint have_;            // by the layer in hand
  Program scratch_;           // one layer, for trials
  LayerTiles tiles_;          // for trials
  std::vector<Entry> queue_;  // a heap, the least in front
  std::vector<Candidate> candidates_;
  std::deque<Remembered> remembered_;
};

}  // namespace bitpulse
