// SPDX-License-Identifier: Apache-2.0
#pragma once

// A lower bound on the cycles of a tiling, in closed form: the busiest of the three units, plus
// what nothing can hide, the first loads and the last vector command and store. It never exceeds
// what an engine counts, and meets it where one unit is busy throughout.
//
// A search bounds thousands of tilings, so what many share is computed once: by pairs of a pixel
// and a channel tiling, then by their cuts of K.

#include <array>
#include <cstdint>
#include <vector>

#include "sim/command_timer.h"
#include "sim/program.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/tile_facts.h"
#include "sim/schedule/tiling.h"
#include "sim/schedule/traffic.h"

namespace bitpulse {

struct TilingBound {
  std::uint64_t cycles = 0;
  std::uint64_t bytes = 0;  // DRAM traffic
  UnitWaits unhindered;     // cycles if that unit never waited, not even for the first loads
  std::int64_t steps = 0;   // array commands, or vector commands of a layer without GEMM
};

/// What all tilings with these pixel and channel tiles share. Refers to its arguments.
struct PairBound {
  const PixelFacts& m;
  PixelLoads& loads;
  const ChannelFacts& channels;
  std::uint64_t array_whole_k = 0, array_tiled_k = 0;
  std::uint64_t last_vector = 0;  // cycles of the last vector command
  std::uint64_t vectors = 0;      // of all, and of the first sums before
  std::array<Traffic, 2> act;     // loads of input tiles for all of K; by n_outer
  std::uint64_t first_act = 0;    // cycles of the first of those
  std::uint64_t largest_act = 0;  // and of the largest
  std::array<Traffic, 2> out;     // stores and identity; by gather_outputs
  std::array<std::uint64_t, 2> last_store{};
};

/// A cut of K' of the first width group.
struct KCut {
  std::int64_t size = 1, tiles = 1;
  std::int64_t first_codes = 1, last_codes = 1;  // per output channel, of the first and last tile
};

/// What both loop orders share.
struct KBound {
  std::int64_t k_tiles = 1;                   // of the first width group
  std::int64_t blocks = 0, most_k_tiles = 0;  // of weights
  std::int64_t first_weights = 0;             // cycles of the first load of weights
  std::uint64_t last_command = 0;
  std::uint64_t array = 0;
  // Of a step (one array command) in a nest of equal steps: its interval, its way out, its last
  // weight load.
  bool equal_steps = false;
  std::int64_t step = 0, way_out = 0, last_weights = 0;
};

/// What single and gathered stores share.
struct LoadBound {
  Traffic all;
  std::uint64_t first = 0;  // cycles of the loads that the first command waits for
  std::uint64_t waits = 0;  // of the array for others
};

class LayerBounds {
 public:
  /// Keeps references to all.
  LayerBounds(const LayerShape& shape, const std::vector<WidthGroup>& groups,
              const Machine& machine);

  /// For so many pixel and channel tilings.
  void reserve(std::size_t tilings) { work_.reserve(tilings * (groups_.size() + 1)); }
  /// To be called once for each, before anything is asked about it.
  void add(PixelFacts& m);
  void add(ChannelFacts& channels);
  KCut k_cut(std::int64_t size) const;

  /// For all tilings with these tiles, without their traffic.
  std::uint64_t of_compute(const PixelFacts& m, const ChannelFacts& channels) const;
  /// With it; `may_gather`: outputs that are gathered are among them.
  std::uint64_t of_tiles(const PixelFacts& m, const LeastLoads& loads, const ChannelFacts& channels,
                         bool may_gather) const;

  PairBound pair(const PixelFacts& m, PixelLoads& loads, const ChannelFacts& channels) const;
  KBound k_tiles(const PairBound& pair, const KCut& cut, const Tiling& tiling) const;
  LoadBound loads(const PairBound& pair, const KBound& k, const Tiling& tiling) const;
  TilingBound operator()(const PairBound& pair, const KBound& k, const LoadBound& loads,
                         bool gather) const;

  /// From the first preload to the last output if the array never waits; the same for all loop
  /// orders and, but for os, for all K tiles. Without overlap: the sum of the folds' serial costs.
  std::uint64_t array_cycles(const PixelFacts& m, const ChannelFacts& channels, bool tiled_k) const;

 private:
  /// The factors of nest_sum for nests that take all of K': it is pixels.whole_k (tiled_k) *
  /// channels.whole_k (tiled_k) + pixels.more * channels.more. After those of all width groups
  /// stand the summands of the last nest's way out.
  struct Work {
    std::int64_t whole_k = 0, tiled_k = 0, more = 0;
    Work& operator+=(const Work& o) {
      whole_k += o.whole_k, tiled_k += o.tiled_k, more += o.more;
      return *this;
    }
    friend Work operator*(std::int64_t times, const Work& work) {
      return {times * work.whole_k, times * work.tiled_k, times * work.more};
    }
  };
  Work pixel_work(const WidthGroup& group, std::int64_t pixels) const;
  Work channel_work(const WidthGroup& group, std::int64_t channels) const;
  std::int64_t row_folds_sum(std::int64_t extent, std::int64_t stream) const;
  std::int64_t nest_sum(const FoldNest& nest, bool tiled_k) const;
  std::int64_t way_out_of_pixels(const PeMode& mode, std::int64_t pixels, std::int64_t k,
                                 bool tiled_k) const;
  std::int64_t way_out_of_channels(std::int64_t channels, std::int64_t k) const;
  void describe_steps(const PairBound& pair, const KCut& cut, const Tiling& tiling,
                      KBound& k) const;
  std::uint64_t waits_for_loads(const PairBound& pair, const KBound& k, const Tiling& tiling,
                                const Traffic& act) const;
  std::uint64_t last_command(const Tiling& tiling, const PixelFacts& m) const;
  std::uint64_t first_outputs(const PixelFacts& m) const;
  std::uint64_t vector(std::int64_t elements) const;
  std::uint64_t vectors(const PixelFacts& m, const ChannelFacts& channels) const;

  const LayerShape& shape_;
  const std::vector<WidthGroup>& groups_;
  const Machine& machine_;
  const LayerTraffic traffic_;
  std::uint64_t vector_work_ = 0;  // cycles of the vector unit over all outputs
  std::vector<Work> work_;         // of tilings that have been added
};

}  // namespace bitpulse
