// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the commands of a layer so far have left behind for those to come: the tiles in the slots of
// the buffers, and the commands to wait for.

#include <array>
#include <cstdint>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/address_map.h"
#include "sim/schedule/command_list.h"
#include "sim/schedule/input_slots.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/output_slots.h"
#include "sim/schedule/tiles.h"
#include "sim/schedule/tiling.h"
#include "sim/schedule/trial_state.h"

namespace bitpulse {

struct LayerState {
  /// Keeps references to all but `half`, what half of each buffer holds.
  LayerState(CommandList& list, const LayerShape& layer, const std::vector<WidthGroup>& groups,
             const LayerTiles& tiles, const LayerAddresses& addresses, const Footprint& half)
      : commands(list),
        shape(layer),
        acts(list, layer, addresses, half.act),
        weights(list, groups, tiles, addresses.weights, half.weight),
        outputs(list, layer, addresses, half.out) {}

  /// A trial before a tile.
  struct Checkpoint {
    TrialState state;
    TilePlace place;
    Trial::Totals totals;
    std::int64_t steps = 0, tiles = 0, begun = 0;
  };
  /// `next`: where the tile stands.
  Checkpoint checkpoint(TilePlace next) const;
  /// What has come between the two comes so many times more.
  void repeat(const Checkpoint& from, const Checkpoint& to, std::size_t times);

  CommandList& commands;
  const LayerShape& shape;
  ActSlots acts;
  WeightSlots weights;
  OutputSlots outputs;
  std::int64_t begun = 0;                            // output tiles: accumulator slots alternate
  std::array<Mark, 2> acc_reader{kNoMark, kNoMark};  // the vector commands that free those
  Mark loads_seen = kNoMark;                         // the latest load the array has waited for
  Mark last_step = kNoMark;                          // the last array command
  Mark last_vector = kNoMark;                        // the last vector command
};

}  // namespace bitpulse
