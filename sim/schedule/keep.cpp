// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/keep.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace bitpulse {

namespace {

constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

TensorId input_of(const IntegerLayer& layer) {
  return std::visit([](const auto& op) { return op.input; }, layer.op);
}

/// What happens to a tensor, by layers of the program.
struct Uses {
  std::uint32_t first_store = kNever, last_store = 0;
  std::uint32_t first_read = kNever, last_read = 0;
  std::int64_t channels_stored = 0;
  bool outside = false;  // stored or read by someone else
};

std::vector<Uses> uses_of(const IntegerNetwork& network, const std::vector<LayerPlan>& plans) {
  std::vector<Uses> uses(network.tensors.size());
  const auto of = [&](TensorId id) -> Uses& { return uses[static_cast<std::size_t>(id)]; };
  for (const NetworkInput& input : network.inputs) {
    for (const InputStore& store : input.stores) of(store.tensor).outside = true;
  }
  for (const NetworkOutput& output : network.outputs) of(output.tensor).outside = true;
  const std::size_t first = plans.front().layer, end = first + plans.size();
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const IntegerLayer& layer = network.layers[i];
    const bool inside = first <= i && i < end;
    const auto index = static_cast<std::uint32_t>(i - first);
    const auto read = [&](TensorId id) {
      Uses& tensor = of(id);
      tensor.outside |= !inside;
      tensor.first_read = std::min(tensor.first_read, index);
      tensor.last_read = std::max(tensor.last_read, index);
    };
    read(input_of(layer));
    if (layer.residual) read(layer.residual->identity);
    for (const Store& store : layer.stores) {
      Uses& tensor = of(store.tensor);
      tensor.outside |= !inside;
      tensor.first_store = std::min(tensor.first_store, index);
      tensor.last_store = std::max(tensor.last_store, index);
      tensor.channels_stored += layer.out.c * store.reorg * store.reorg;
    }
  }
  return uses;
}

/// The tensors that may stay, in the order they are tried; not yet placed.
std::vector<KeptTensor> candidates(const IntegerNetwork& network,
                                   const std::vector<LayerPlan>& plans, std::int64_t batch) {
  const std::vector<Uses> uses = uses_of(network, plans);
  std::vector<KeptTensor> tensors;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const Uses& use = uses[i];
    if (use.outside || use.first_store == kNever || use.first_read == kNever) continue;
    const TensorShape shape = tensor_shape(network.tensors[i]);
    if (use.last_store >= use.first_read || use.channels_stored != shape.c) continue;
    const std::int64_t bytes = batch * shape.h * shape.w * (shape.pixel_bits / 8);
    tensors.push_back({static_cast<TensorId>(i), use.first_store, use.last_read, 0,
                       align_region(static_cast<std::uint64_t>(bytes)) * 8});
  }
  std::stable_sort(tensors.begin(), tensors.end(), [](const KeptTensor& a, const KeptTensor& b) {
    const std::uint32_t lasts_a = a.last_layer - a.first_layer;
    const std::uint32_t lasts_b = b.last_layer - b.first_layer;
    return lasts_a != lasts_b ? lasts_a < lasts_b : a.first_layer < b.first_layer;
  });
  return tensors;
}

/// Gives the tensor the lowest place that is free as long as it lives; false: there is none.
bool place(KeptTensor& tensor, std::vector<KeptTensor> kept, std::uint64_t capacity) {
  std::sort(kept.begin(), kept.end(),
            [](const KeptTensor& a, const KeptTensor& b) { return a.act_bit < b.act_bit; });
  tensor.act_bit = 0;
  for (const KeptTensor& other : kept) {
    const bool together =
        other.first_layer <= tensor.last_layer && tensor.first_layer <= other.last_layer;
    if (!together || tensor.end() <= other.act_bit) continue;
    tensor.act_bit = std::max(tensor.act_bit, other.end());
  }
  return tensor.end() <= capacity;
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
  mark_one(input_of(*layer.layer), shape.in_kept, layer.addresses.in);
  if (layer.layer->residual) {
    mark_one(layer.layer->residual->identity, shape.identity.kept, layer.addresses.identity);
  }
  for (std::size_t i = 0; i < shape.stores.size(); ++i) {
    mark_one(layer.layer->stores[i].tensor, shape.stores[i].kept, layer.addresses.stores[i]);
  }
  layer.addresses.act_slots = kept_bits(kept, index);
}

struct Cost {
  std::uint64_t cycles = 0, dram_bytes = 0;
  void operator+=(const Choice& choice) {
    cycles += choice.cycles;
    dram_bytes += choice.dram_bytes;
  }
};

/// The layers in which the last of `kept` lives, chosen anew; none where one does not fit or it
/// does not pay.
std::optional<std::vector<ChosenLayer>> with_last(const std::vector<KeptTensor>& kept,
                                                  TilingSearch& search,
                                                  std::vector<LayerPlan>& plans,
                                                  const std::vector<ChosenLayer>& now) {
  std::vector<ChosenLayer> layers;
  Cost before, after;
  for (std::uint32_t l = kept.back().first_layer; l <= kept.back().last_layer; ++l) {
    ChosenLayer layer = now[l];
    mark(layer, l, kept);
    const auto choice = search.try_choose(*layer.layer, layer.shape, plans[l], layer.addresses);
    if (!choice) return std::nullopt;
    layer.choice = *choice;
    before += now[l].choice;
    after += *choice;
    layers.push_back(std::move(layer));
  }
  if (after.cycles > before.cycles || after.dram_bytes >= before.dram_bytes) return std::nullopt;
  return layers;
}

}  // namespace

std::vector<KeptTensor> keep_on_chip(const IntegerNetwork& network, const Machine& machine,
                                     TilingSearch& search, std::vector<LayerPlan>& plans,
                                     std::vector<ChosenLayer>& layers) {
  const std::uint64_t capacity = std::uint64_t{machine.buffers.act_kib} * 1024 * 8;
  std::vector<KeptTensor> kept;
  for (KeptTensor tensor : candidates(network, plans, layers.front().shape.batch)) {
    if (!place(tensor, kept, capacity)) continue;
    kept.push_back(tensor);
    auto better = with_last(kept, search, plans, layers);
    if (better) {
      std::move(better->begin(), better->end(), layers.begin() + tensor.first_layer);
    } else {
      kept.pop_back();
    }
  }
  return kept;
}

}  // namespace bitpulse
