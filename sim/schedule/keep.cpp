// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/keep.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "sim/schedule/keepable.h"

namespace bitpulse {

namespace {

/// Kept tensors at one time, by place.
using Kept = std::vector<KeptTensor>;

struct ByPlaces {
  bool operator()(const Kept& a, const Kept& b) const {
    return std::lexicographical_compare(
        a.begin(), a.end(), b.begin(), b.end(), [](const KeptTensor& x, const KeptTensor& y) {
          return std::tie(x.act_bit, x.tensor) < std::tie(y.act_bit, y.tensor);
        });
  }
};

/// Gives the tensor the lowest place that is free, and returns how many of `kept` stand below it.
std::size_t place(KeptTensor& tensor, const Kept& kept) {
  std::size_t below = 0;
  tensor.act_bit = 0;
  while (below < kept.size() && tensor.end() > kept[below].act_bit) {
    tensor.act_bit = kept[below++].end();
  }
  return below;
}

/// Notes which tensors of a layer are kept, and where.
void mark(ChosenLayer& layer, std::uint32_t index, const std::vector<KeptTensor>& kept) {
  const auto mark_one = [&](TensorId id, bool& is_kept, std::uint64_t& address) {
    for (const KeptTensor& tensor : kept) {
      if (tensor.tensor != id) continue;
      is_kept = true;
      address = tensor.act_bit;
    }
  };
  LayerShape& shape = layer.shape;
  const auto mark_input = [&](const auto& op) {
    mark_one(op.input, shape.in_kept, layer.addresses.in);
  };
  std::visit(mark_input, layer.layer->op);
  if (layer.layer->residual) {
    mark_one(layer.layer->residual->identity, shape.identity.kept, layer.addresses.identity);
  }
  for (std::size_t i = 0; i < shape.stores.size(); ++i) {
    mark_one(layer.layer->stores[i].tensor, shape.stores[i].kept, layer.addresses.stores[i]);
  }
  layer.addresses.act_slots = kept_bits(kept, index);
}

struct Cost {
  std::uint64_t cycles = 0, dram_bytes = 0, tensors = 0;
  friend bool operator<(const Cost& a, const Cost& b) {
    return std::tie(a.cycles, a.dram_bytes, a.tensors) <
           std::tie(b.cycles, b.dram_bytes, b.tensors);
  }
};

/// What the layers so far cost, and how that came about.
struct Way {
  Cost cost;
  std::size_t step = 0;  // number of the last; 0: none, nothing has been kept
};

class KeepSearch {
 public:
  KeepSearch(std::uint64_t capacity, TilingSearch& search, std::vector<LayerPlan>& plans,
             const std::vector<ChosenLayer>& layers)
      : capacity_(capacity), search_(search), plans_(plans), layers_(layers) {}

  /// Every way goes on in two: the tensor is kept, or is not.
  void fork(KeptTensor tensor) {
    Ways with;
    for (const auto& [kept, way] : ways_) {
      const std::size_t below = place(tensor, kept);
      if (tensor.end() > capacity_) continue;
      Kept more = kept;
      more.insert(more.begin() + static_cast<std::ptrdiff_t>(below), tensor);
      Way next = way;
      ++next.cost.tensors;
      steps_.push_back({tensor, way.step});
      next.step = steps_.size();
      with.emplace(std::move(more), next);
    }
    ways_.merge(with);
    drop_most_expensive();
  }

  /// All ways go through the layer, those that leave it room; the cheapest to the same places stay.
  void pass(std::uint32_t layer) {
    asked_.clear();
    Ways behind;
    for (auto& [kept, way] : ways_) {
      const std::optional<Choice>& choice = ask(layer, kept);
      if (!choice) continue;
      way.cost.cycles += choice->cycles;
      way.cost.dram_bytes += choice->dram_bytes;
      Kept still;
      std::copy_if(kept.begin(), kept.end(), std::back_inserter(still),
                   [&](const KeptTensor& tensor) { return tensor.last_layer > layer; });
      const auto [known, is_new] = behind.try_emplace(std::move(still), way);
      if (!is_new && way.cost < known->second.cost) known->second = way;
    }
    ways_ = std::move(behind);
    drop_most_expensive();
  }

  /// All tensors kept on the cheapest way, when all layers have been passed.
  std::vector<KeptTensor> best() const {
    std::vector<KeptTensor> kept;
    for (std::size_t step = ways_.begin()->second.step; step > 0; step = steps_[step - 1].before) {
      kept.push_back(steps_[step - 1].tensor);
    }
    std::reverse(kept.begin(), kept.end());
    return kept;
  }

 private:
  using Ways = std::map<Kept, Way, ByPlaces>;
  /// A tensor that is kept, and the number of the step before.
  struct Step {
    KeptTensor tensor;
    std::size_t before = 0;
  };
  struct Answer {
    ChosenLayer layer;
    std::optional<Choice> choice;
  };

  const std::optional<Choice>& ask(std::uint32_t l, const Kept& kept) {
    ChosenLayer layer = layers_[l];
    mark(layer, l, kept);
    for (const Answer& answer : asked_) {
      const ChosenLayer& other = answer.layer;
      if (other.addresses.act_slots == layer.addresses.act_slots && other.shape == layer.shape) {
        return answer.choice;
      }
    }
    auto choice = search_.try_choose(*layer.layer, layer.shape, plans_[l], layer.addresses);
    asked_.push_back({std::move(layer), std::move(choice)});
    return asked_.back().choice;
  }

  /// The way that keeps nothing here, which every layer has room for, stays in any case.
  void drop_most_expensive() {
    if (ways_.size() <= kMostWays) return;
    std::vector<Ways::iterator> all;
    for (auto way = std::next(ways_.begin()); way != ways_.end(); ++way) all.push_back(way);
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return a->second.cost < b->second.cost; });
    for (std::size_t i = kMostWays - 1; i < all.size(); ++i) ways_.erase(all[i]);
  }

  std::uint64_t capacity_;
  TilingSearch& search_;
  std::vector<LayerPlan>& plans_;
  const std::vector<ChosenLayer>& layers_;
  Ways ways_{{Kept{}, Way{}}};
  std::vector<Step> steps_;
  std::vector<Answer> asked_;  // about the layer in hand
};

}  // namespace

std::vector<KeptTensor> keep_on_chip(const IntegerNetwork& network, const Machine& machine,
                                     TilingSearch& search, std::vector<LayerPlan>& plans,
                                     std::vector<ChosenLayer>& layers) {
  const std::uint64_t capacity = std::uint64_t{machine.buffers.act_kib} * 1024 * 8;
  const Kept keepable = keepable_tensors(network, plans, layers.front().shape.batch);
  KeepSearch ways(capacity, search, plans, layers);
  auto next = keepable.begin();
  for (std::uint32_t l = 0; l < layers.size(); ++l) {
    for (; next != keepable.end() && next->first_layer == l; ++next) ways.fork(*next);
    ways.pass(l);
  }
  const Kept kept = ways.best();
  for (std::uint32_t l = 0; l < layers.size(); ++l) {
    ChosenLayer& layer = layers[l];
    mark(layer, l, kept);
    layer.choice = *search.try_choose(*layer.layer, layer.shape, plans[l], layer.addresses);
  }
  return kept;
}

}  // namespace bitpulse
