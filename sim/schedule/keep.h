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
// those the one with the least DRAM traffic; of those the one with the fewest tensors.
//
// More is never slower: a machine with more bandwidth, less latency or bigger buffers can keep the
// same tensors at the same places, which do not depend on it, and each layer then takes no more
// cycles (with bigger buffers: with overlap, see search.h), so the least sum is no more either.
// This is so as far as all tensors are weighed against one another, as in all built-in networks.
// With `banked` memory the sum is an estimate, from idle banks.

#include <cstdint>
#include <vector>

#include "quant/integer/integer_network.h"
#include "sim/program.h"
#include "sim/schedule/address_map.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/search.h"

namespace bitpulse {

/// Tensors living in one layer that are weighed against one another; built-in networks have up
/// to 4. Where more may be kept, those that live through the fewest layers are decided first, then
/// the next beside them.
inline constexpr std::uint32_t kMostTogether = 6;

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
