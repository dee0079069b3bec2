// SPDX-License-Identifier: Apache-2.0
#pragma once

// The tilings a layer may choose from: the tile grid and the loop orders, as far as their tiles fit
// half of each buffer. They come in pairs of a pixel and a channel tiling, which share a bound.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/bounds.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/tile_facts.h"
#include "sim/schedule/tiling.h"

namespace bitpulse {

/// More tiles of one layer, or commands of a program, are refused: memory grows with them.
inline constexpr std::int64_t kMaxTiles = 1 << 21;
inline constexpr std::size_t kMaxCommands = 1 << 23;

/// A tiling with its bound.
struct Candidate {
  Tiling tiling;
  TilingBound bound;
};

class Candidates {
 public:
  /// Keeps references to all.
  Candidates(const LayerShape& shape, const LayerPlan& plan, const Machine& machine,
             const Footprint& have);

  /// Calls visit(pixel, channel) for all pairs whose sums and outputs fit, of kMaxTiles at most.
  template <class Visit>
  void for_pairs(Visit&& visit) const {
    for (std::size_t c = 0; c < channels_.size(); ++c) {
      for (std::size_t m = offered_[c].first; m < offered_[c].end; ++m) visit(m, c);
    }
  }

  /// A bound of all candidates of a pair that is quickly made.
  std::uint64_t rough_bound(std::size_t m, std::size_t c) const {
    return bounds_.of_compute(pixels_[m], channels_[c]);
  }
  /// A better one; none where the folds are to be the untiled GEMM's and are not.
  std::optional<std::uint64_t> bound(std::size_t m, std::size_t c) {
    if (keep_folds_ &&
        bounds_.array_cycles(pixels_[m], channels_[c], false) != plan_.serial_array_cycles) {
      return std::nullopt;
    }
    return bounds_.of_tiles(pixels_[m], loads_[m].least(), channels_[c], may_gather(m, c));
  }

  /// Appends the candidates of a pair, whose bound is `least`.
  void expand(std::size_t m, std::size_t c, std::uint64_t least,
              std::vector<Candidate>& candidates);

 private:
  /// Of pixel tilings, those that go with a channel tiling.
  struct Offered {
    std::size_t first = 0, end = 0;
  };
  Offered offered(std::size_t c) const;
  bool may_gather(std::size_t m, std::size_t c) const {
    if (must_gather()) return true;
    return channels_[c].tiles > 1 && pixels_[m].size <= most_gathered_;  // else one store only
  }
  bool must_gather() const { return groups_.size() > 1; }
  bool fits_whole() const;
  bool same_loads(const Tiling& tiling, const InputFacts& input) const;
  Tiling pair(std::size_t m, std::size_t c) const;
  bool act_tiles_fit(Tiling tiling) const;
  void add_orders(Tiling tiling, const PairBound& pair, const KBound& k, bool gather_fits,
                  std::vector<Candidate>& candidates);

  const LayerShape& shape_;
  const LayerPlan& plan_;
  const std::vector<WidthGroup>& groups_;
  const Footprint& have_;
  const TileGrid grid_;
  const FootprintOf need_;
  LayerBounds bounds_;
  const bool streams_k_;  // os
  std::vector<PixelFacts> pixels_;
  std::vector<ChannelFacts> channels_;
  std::vector<PixelLoads> loads_;  // of the pixel tilings
  std::vector<KCut> k_cuts_;
  std::vector<Offered> offered_;    // by channel tiling
  std::int64_t most_gathered_ = 0;  // pixels of a tile whose outputs of all channels fit
  bool keep_folds_ = false;         // only tilings with the untiled GEMM's folds
};

}  // namespace bitpulse
