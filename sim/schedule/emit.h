// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a layer and its tiling to commands: loads, array commands, vector commands and stores with
// the predecessors that make double buffering safe. Each buffer has two slots. The dma queue runs
// two steps ahead: the store of step i comes after the loads of step i + 2, so that neither waits
// for the other's unit.

#include <cstdint>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/address_map.h"
#include "sim/schedule/command_list.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/tiling.h"

namespace bitpulse {

/// Appends the commands of one layer, as Program::layers[layer], or tries them; returns the end of
/// its weights in DRAM. The commands depend on the tiling, not on the buffer sizes, but for buffer
/// addresses.
std::uint64_t emit_layer(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                         const Tiling& tiling, const LayerAddresses& addresses, std::uint32_t layer,
                         Program& program, Trial* trial = nullptr);

}  // namespace bitpulse
