// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/scale_owners.h"

#include <variant>

namespace bitpulse {

namespace {

std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }

/// Tensors that share a scale, as a chain of "has the scale of".
class ScaleGroups {
 public:
  explicit ScaleGroups(const Lowering& lowering) : parent_(lowering.tensors.size()) {
    const IntegerNetwork& network = lowering.network;
    for (std::size_t i = 0; i < parent_.size(); ++i) parent_[i] = i;
    count_readers(network);
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      const auto* pool = std::get_if<PoolOp>(&network.layers[i].op);
      if (!pool || !pool->is_max || readers_[index(pool->input)] != 1) continue;
      for (std::size_t s = 0; s < network.layers[i].stores.size(); ++s) {
        const TensorId out = network.layers[i].stores[s].tensor;
        if (network.tensors[index(out)].precision !=
                network.tensors[index(pool->input)].precision ||
            !(lowering.layers[i].activations[s] == Activation{}))
          continue;
        parent_[index(pool->input)] = index(out);  // what is read later decides
        break;
      }
    }
  }

  std::size_t representative(std::size_t tensor) const {
    while (parent_[tensor] != tensor) tensor = parent_[tensor];
    return tensor;
  }

 private:
  void count_readers(const IntegerNetwork& network) {
    readers_.assign(network.tensors.size(), 0);
    for (const IntegerLayer& layer : network.layers) {
      std::visit([this](const auto& op) { ++readers_[index(op.input)]; }, layer.op);
      if (layer.residual) ++readers_[index(layer.residual->identity)];
    }
    for (const NetworkOutput& output : network.outputs) ++readers_[index(output.tensor)];
  }

  std::vector<std::size_t> parent_;
  std::vector<int> readers_;
};

}  // namespace

std::vector<std::size_t> scale_owners(const Lowering& lowering) {
  const ScaleGroups groups(lowering);
  std::vector<std::size_t> owners;
  for (std::size_t t = 0; t < lowering.tensors.size(); ++t)
    owners.push_back(groups.representative(t));
  return owners;
}

}  // namespace bitpulse
