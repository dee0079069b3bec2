// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/keep_search.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <queue>
#include <set>
#include <tuple>
#include <utility>

namespace bitpulse {

namespace {

/// A layer that stores and reads more is not bounded: every set of them would be looked at.
constexpr std::size_t kFewTensors = 4;

bool is_below(const KeptTensor& a, const KeptTensor& b) {
  return std::tie(a.act_bit, a.tensor) < std::tie(b.act_bit, b.tensor);
}

struct ByPlaces {
  bool operator()(const Kept& a, const Kept& b) const {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), is_below);
  }
};

bool live_together(const KeptTensor& a, const KeptTensor& b) {
  return a.first_layer <= b.last_layer && b.first_layer <= a.last_layer;
}

/// Gives the tensor the lowest place that is free beside others.
void place(KeptTensor& tensor, Kept others) {
  std::sort(others.begin(), others.end(), is_below);
  tensor.act_bit = 0;
  for (const KeptTensor& other : others) {
    if (tensor.end() <= other.act_bit) break;
    tensor.act_bit = std::max(tensor.act_bit, other.end());
  }
}

bool is_moved_by(const ChosenLayer& layer, const KeptTensor& tensor) {
  const IntegerLayer& of = *layer.layer;
  return std::visit([&](const auto& op) { return op.input == tensor.tensor; }, of.op) ||
         (of.residual && of.residual->identity == tensor.tensor) ||
         std::any_of(of.stores.begin(), of.stores.end(),
                     [&](const Store& store) { return store.tensor == tensor.tensor; });
}

struct Cost {
  std::uint64_t cycles = 0, dram_bytes = 0, tensors = 0;
  friend bool operator<(const Cost& a, const Cost& b) {
    return std::tie(a.cycles, a.dram_bytes, a.tensors) <
           std::tie(b.cycles, b.dram_bytes, b.tensors);
  }
  friend Cost operator+(const Cost& a, const Cost& b) {
    return {a.cycles + b.cycles, a.dram_bytes + b.dram_bytes, a.tensors + b.tensors};
  }
};

Cost cost_of(const Choice& choice) { return {choice.cycles, choice.dram_bytes, 0}; }

/// What happens in a program, in order: before its first producer a tensor is placed or is not; a
/// layer runs.
struct Event {
  std::uint32_t layer = 0;
  const KeptTensor* tensor = nullptr;  // null: the layer runs
  Cost least_rest;                     // of this event and all behind it
};

/// Decisions before an event.
struct Way {
  Cost least;  // of all ways that go on from here
  std::size_t event = 0;
  Kept kept;             // and needed yet
  Cost cost;             // so far
  std::size_t step = 0;  // number of the last tensor placed; 0: none has been
};

/// The most promising way goes first; of equals the one that has come furthest.
struct IsLater {
  bool operator()(const Way& a, const Way& b) const {
    if (a.least < b.least || b.least < a.least) return b.least < a.least;
    if (a.event != b.event) return a.event < b.event;
    return ByPlaces()(b.kept, a.kept);
  }
};

class KeepSearch {
 public:
  KeepSearch(const Machine& machine, TilingSearch& search, std::vector<LayerPlan>& plans,
             const std::vector<ChosenLayer>& layers, const Kept& fixed, const Kept& tensors)
      : capacity_(std::uint64_t{machine.buffers.act_kib} * 1024 * 8),
        keeping_is_faster_(machine.dram.model == DramModel::kFixed &&
                           machine.array.rows >= machine.dram.bytes_per_cycle),
        search_(search),
        plans_(plans),
        layers_(layers),
        fixed_(fixed) {
    auto tensor = tensors.begin();
    for (std::uint32_t l = 0; l < layers.size(); ++l) {
      for (; tensor != tensors.end() && tensor->first_layer == l; ++tensor) {
        events_.push_back({l, &*tensor, {}});
      }
      events_.push_back({l, nullptr, {}});
    }
    seen_.resize(events_.size());
    if (machine.array.overlap) bound(tensors);
  }

  /// All tensors kept on the cheapest way.
  Kept best() {
    push({});
    while (ways_.top().event < events_.size()) {
      Way way = ways_.top();
      ways_.pop();
      auto& seen = seen_[way.event];
      if (seen.size() >= kMostWays && !way.kept.empty()) continue;
      if (!seen.insert(way.kept).second) continue;  // a cheaper way has come here
      const Event& event = events_[way.event++];
      if (event.tensor) {
        place_or_not(*event.tensor, way);
      } else {
        run(event.layer, way);
      }
    }
    Kept kept;
    for (std::size_t step = ways_.top().step; step > 0; step = steps_[step - 1].before) {
      kept.push_back(steps_[step - 1].tensor);
    }
    std::reverse(kept.begin(), kept.end());
    return kept;
  }

 private:
  /// A tensor that is kept, and the number of the step before.
  struct Step {
    KeptTensor tensor;
    std::size_t before = 0;
  };

  /// With overlap, where no tiling is left out because more fits.
  void bound(const Kept& tensors) {
    Cost rest;
    for (auto event = events_.rbegin(); event != events_.rend(); ++event) {
      if (!event->tensor) {
        Kept own;
        std::copy_if(tensors.begin(), tensors.end(), std::back_inserter(own),
                     [&](const KeptTensor& t) { return is_moved_by(layers_[event->layer], t); });
        if (own.size() <= kFewTensors) rest = rest + least_cost(event->layer, own);
      }
      event->least_rest = rest;
    }
  }

  /// Of a layer with any of its `own` tensors kept, as many as fit, and all the buffer for tiles.
  Cost least_cost(std::uint32_t l, const Kept& own) {
    std::uint64_t bits = 0;
    for (const KeptTensor& tensor : own) bits += tensor.bits;
    Cost least = cost_of(layers_[l].choice);
    if (bits <= capacity_) {
      ChosenLayer layer = with(l, own);
      layer.addresses.act_slots = layers_[l].addresses.act_slots;
      if (const auto choice = choose(l, layer)) least = std::min(least, cost_of(*choice));
      if (keeping_is_faster_) return least;
    }
    for (std::size_t i = 0; i < own.size(); ++i) {
      Kept others = own;
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
      least = std::min(least, least_cost(l, others));
    }
    return least;
  }

  void place_or_not(KeptTensor tensor, Way& way) {
    Kept others = way.kept;
    std::copy_if(fixed_.begin(), fixed_.end(), std::back_inserter(others),
                 [&](const KeptTensor& t) { return live_together(t, tensor); });
    place(tensor, std::move(others));
    if (tensor.end() <= capacity_) {
      Way keeping = way;
      keeping.kept.insert(
          std::upper_bound(keeping.kept.begin(), keeping.kept.end(), tensor, is_below), tensor);
      ++keeping.cost.tensors;
      steps_.push_back({tensor, way.step});
      keeping.step = steps_.size();
      push(std::move(keeping));
    }
    push(std::move(way));
  }

  /// Where the layer finds no room the way ends.
  void run(std::uint32_t l, Way& way) {
    const auto choice = choose(l, with(l, way.kept));
    if (!choice) return;
    way.cost = way.cost + cost_of(*choice);
    const auto over = std::remove_if(way.kept.begin(), way.kept.end(),
                                     [&](const KeptTensor& t) { return t.last_layer == l; });
    way.kept.erase(over, way.kept.end());
    push(std::move(way));
  }

  void push(Way way) {
    way.least = way.cost;
    if (way.event < events_.size()) way.least = way.least + events_[way.event].least_rest;
    ways_.push(std::move(way));
  }

  ChosenLayer with(std::uint32_t l, const Kept& kept) const {
    ChosenLayer layer = layers_[l];
    mark(layer, l, kept);
    return layer;
  }

  std::optional<Choice> choose(std::uint32_t l, const ChosenLayer& layer) {
    return search_.try_choose(*layer.layer, layer.shape, plans_[l], layer.addresses);
  }

  std::uint64_t capacity_;
  /// No move on chip, at a byte per row and cycle, is slower than through DRAM.
  bool keeping_is_faster_;
  TilingSearch& search_;
  std::vector<LayerPlan>& plans_;
  const std::vector<ChosenLayer>& layers_;
  const Kept& fixed_;
  std::vector<Event> events_;
  std::vector<std::set<Kept, ByPlaces>> seen_;  // by event
  std::priority_queue<Way, std::vector<Way>, IsLater> ways_;
  std::vector<Step> steps_;
};

}  // namespace

void mark(ChosenLayer& layer, std::uint32_t index, const Kept& kept) {
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
  layer.addresses.act_slots = std::max(layer.addresses.act_slots, kept_bits(kept, index));
}

Kept best_to_keep(const Machine& machine, TilingSearch& search, std::vector<LayerPlan>& plans,
                  const std::vector<ChosenLayer>& layers, const Kept& fixed, const Kept& tensors) {
  return KeepSearch(machine, search, plans, layers, fixed, tensors).best();
}

}  // namespace bitpulse
