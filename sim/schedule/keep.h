// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keeping tensors on chip (section 10): which tensors stay in the activation buffer between their
// producers and their readers, and where.
//
// A tensor that is kept has its place, a multiple of kRegionBytes, from its first producer to its
// last reader: the lowest that is free when the first producer begins. What the tensors leave of
// the buffer during a layer is the layer's, for tiles.
//
// Of all sets of tensors that may be kept and fit, the choice is the one with the fewest cycles; of
// those the one with the least DRAM traffic; of those the one with the fewest tensors. What a layer
// costs depends on the tensors then kept and their places alone, and the costs of layers add up. So
// of all ways to come to a content of the buffer before a layer only the cheapest goes on, and ways
// go on in the order of what they cost at least in the end (A*): where arrays overlap, a layer
// costs no less than with any of its own tensors kept and all the room for its tiles.
//
// More is never slower: a machine with more bandwidth, less latency or bigger buffers can keep the
// same tensors at the same places, which do not depend on it, and each layer then takes no more
// cycles (with bigger buffers: with overlap, see search.h), so the least sum is no more either.
// With `banked` memory the sum is an estimate, from idle banks.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "quant/integer/integer_network.h"
#include "sim/program.h"
#include "sim/schedule/address_map.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/search.h"

namespace bitpulse {

/// Contents of the buffer, beside an empty one, that are pursued at any time of the program: those
/// found first, as the most promising. Beyond that keeping still costs no cycles, but a better set
/// may be missed. Built-in networks come to 268.
inline constexpr std::size_t kMostWays = 1024;

/// A layer of the program and the choice for it.
struct ChosenLayer {
  const IntegerLayer* layer = nullptr;
  LayerShape shape;
  LayerAddresses addresses;
  Choice choice;
};

/// Decides which tensors stay and replaces the choices of their layers.
///
/// layers   all of the program, chosen with every tensor in DRAM
/// plans    theirs; lent to the search, unchanged
std::vector<KeptTensor> keep_on_chip(const IntegerNetwork& network, const Machine& machine,
                                     TilingSearch& search, std::vector<LayerPlan>& plans,
                                     std::vector<ChosenLayer>& layers);

}  // namespace bitpulse
