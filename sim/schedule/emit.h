// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a layer and its tiling to commands: loads, array commands, vector commands and stores with
// the predecessors that make double buffering safe. Each buffer has two slots; a tile that still
// stands in one is not loaded again. The dma queue runs two steps ahead: the store of step i comes
// after the loads of step i + 2, so that neither waits for the other's unit.

#include <cstdint>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/tiling.h"

namespace bitpulse {

/// DRAM addresses (bits) of a layer's tensors and of its first weight block.
struct LayerAddresses {
  std::uint64_t in = 0, identity = 0, weights = 0;
  std::vector<std::uint64_t> stores;  // by store
};

/// Lengths of a program's lists.
struct ProgramSizes {
  std::size_t commands = 0, predecessors = 0, dma = 0, array = 0, vector = 0, patterns = 0,
              outputs = 0, weights = 0;
  ProgramSizes& operator+=(const ProgramSizes& o);
};
ProgramSizes sizes_of(const Program& program);
void reserve(Program& program, const ProgramSizes& sizes);

/// What commands carry: everything, or, for trials, what times follow from with `fixed` memory (no
/// patterns, tiles, buffer addresses or weight blocks).
enum class Detail : std::uint8_t { kTiming, kAll };

/// Appends the commands of one layer, as Program::layers[layer]; returns the end of its weights in
/// DRAM. The commands depend on the tiling, not on the buffer sizes, but for buffer addresses.
std::uint64_t emit_layer(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                         const Tiling& tiling, const LayerAddresses& addresses, std::uint32_t layer,
                         Detail detail, Program& program);

/// Whether `later` (after `earlier` in the array queue) finishes last whatever happens, by section
/// 4's intervals: every fold of `later` streams after the last of `earlier`.
bool finishes_after(const ArraySpec& array, const FoldNest& earlier, const FoldNest& later);

}  // namespace bitpulse
