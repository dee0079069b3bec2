// SPDX-License-Identifier: Apache-2.0
#include "quant/lower.h"

#include <utility>

#include "quant/lower/draft.h"

namespace bitpulse {

namespace {

/// Numbers tensors in the order in which they are first written.
class Renumbering {
 public:
  explicit Renumbering(std::vector<DraftTensor> draft)
      : draft_(std::move(draft)), ids_(draft_.size(), -1) {}

  void apply(TensorId& id) {
    TensorId& renamed = ids_[static_cast<std::size_t>(id)];
    if (renamed < 0) {
      DraftTensor& tensor = draft_[static_cast<std::size_t>(id)];
      renamed = static_cast<TensorId>(tensors.size());
      tensors.push_back(std::move(tensor.tensor));
      origins.push_back(tensor.origin);
    }
    id = renamed;
  }

  std::vector<StoredTensor> tensors;
  std::vector<TensorOrigin> origins;

 private:
  std::vector<DraftTensor> draft_;
  std::vector<TensorId> ids_;
};

void renumber_layer(IntegerLayer& layer, Renumbering& renumbering) {
  std::visit([&renumbering](auto& op) { renumbering.apply(op.input); }, layer.op);
  if (layer.residual) renumbering.apply(layer.residual->identity);
  for (Store& store : layer.stores) renumbering.apply(store.tensor);
}

}  // namespace

Lowering lower_with_origins(const Workload& workload) {
  const std::vector<NodeWidths> widths = node_widths(workload);
  Draft draft = fuse(workload, widths);
  Lowering lowering;
  IntegerNetwork& network = lowering.network;
  network.name = workload.name;
  network.method = workload.quantization.method;
  network.rounding = workload.quantization.rounding;

  Renumbering renumbering(assign_tensors(workload, widths, draft, network.outputs));
  for (DraftInput& input : draft.inputs) {
    for (InputStore& store : input.input.stores) renumbering.apply(store.tensor);
    network.inputs.push_back(std::move(input.input));
    lowering.input_activations.push_back(std::move(input.activations));
  }
  network.layers.reserve(draft.layers.size());
  lowering.layers.reserve(draft.layers.size());
  for (DraftLayer& layer : draft.layers) {
    renumber_layer(layer.layer, renumbering);
    network.layers.push_back(std::move(layer.layer));
    lowering.layers.push_back(std::move(layer.origin));
  }
  for (NetworkOutput& output : network.outputs) renumbering.apply(output.tensor);
  network.tensors = std::move(renumbering.tensors);
  lowering.tensors = std::move(renumbering.origins);
  return lowering;
}

IntegerNetwork lower(const Workload& workload) { return lower_with_origins(workload).network; }

}  // namespace bitpulse
