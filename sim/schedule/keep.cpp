// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/keep.h"

#include <algorithm>
#include <numeric>

#include "sim/schedule/keep_search.h"
#include "sim/schedule/keepable.h"

namespace bitpulse {

namespace {

/// Takes out of `tensors` those that live through the fewest layers, up to kMostTogether in each of
/// `layers`. The order stays.
Kept take_few(Kept& tensors, std::size_t layers) {
  std::vector<std::size_t> by_life(tensors.size());
  std::iota(by_life.begin(), by_life.end(), std::size_t{0});
  std::stable_sort(by_life.begin(), by_life.end(), [&](std::size_t a, std::size_t b) {
    return tensors[a].last_layer - tensors[a].first_layer <
           tensors[b].last_layer - tensors[b].first_layer;
  });
  std::vector<std::uint32_t> living(layers);
  std::vector<bool> is_taken(tensors.size());
  for (const std::size_t i : by_life) {
    const auto first = living.begin() + tensors[i].first_layer;
    const auto end = living.begin() + tensors[i].last_layer + 1;
    is_taken[i] = *std::max_element(first, end) < kMostTogether;
    if (is_taken[i]) std::for_each(first, end, [](std::uint32_t& count) { ++count; });
  }
  Kept few, rest;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    (is_taken[i] ? few : rest).push_back(tensors[i]);
  }
  tensors = std::move(rest);
  return few;
}

}  // namespace

std::vector<KeptTensor> keep_on_chip(const IntegerNetwork& network, const Machine& machine,
                                     TilingSearch& search, std::vector<LayerPlan>& plans,
                                     std::vector<ChosenLayer>& layers) {
  Kept kept, undecided = keepable_tensors(network, plans, layers.front().shape.batch);
  while (!undecided.empty()) {
    const Kept few = take_few(undecided, layers.size());
    const Kept more = best_to_keep(machine, search, plans, layers, kept, few);
    kept.insert(kept.end(), more.begin(), more.end());
    for (std::uint32_t l = 0; l < layers.size(); ++l) {
      ChosenLayer& layer = layers[l];
      mark(layer, l, more);
      layer.choice = *search.try_choose(*layer.layer, layer.shape, plans[l], layer.addresses);
    }
  }
  return kept;
}

}  // namespace bitpulse
