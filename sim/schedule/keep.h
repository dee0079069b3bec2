// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keeping tensors on chip (section 10): which tensors stay in the activation buffer between their
// producers and their readers, and where.
//
// A tensor may stay if the program has all its producers, all its readers behind them, and the
// network does not give it out. It holds its place, a multiple of kRegionBytes, from its first
// producer to its last reader; what those layers have left of the buffer is theirs for tiles.
// Tensors are tried one by one, those that live through the fewest layers first, then in the order
// of their producers, each at the lowest place that is free; a tensor stays if its layers, chosen
// anew, have less DRAM traffic than before and take no more cycles.

#include <cstdint>
#include <vector>

#include "quant/integer/integer_network.h"
#include "sim/program.h"
#include "sim/schedule/address_map.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/search.h"

namespace bitpulse {

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
