// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/keepable.h"

#include <algorithm>
#include <limits>

#include "sim/schedule/address_map.h"
#include "sim/schedule/layer_shape.h"

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

}  // namespace

std::vector<KeptTensor> keepable_tensors(const IntegerNetwork& network,
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
    if (a.first_layer != b.first_layer) return a.first_layer < b.first_layer;
    return a.last_layer > b.last_layer;
  });
  return tensors;
}

}  // namespace bitpulse
