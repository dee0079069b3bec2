// SPDX-License-Identifier: Apache-2.0
#include "quant/train/folded_norms.h"

#include "quant/float/parameters.h"

namespace bitpulse {

namespace {

const Node& node_of(const Graph& graph, NodeId id) {
  return graph.nodes[static_cast<std::size_t>(id)];
}

/// [o] against [o, ...] of so many dimensions.
at::Tensor along_first(const at::Tensor& values, std::int64_t dimensions) {
  std::vector<std::int64_t> dims(static_cast<std::size_t>(dimensions), 1);
  dims[0] = -1;
  return values.reshape(dims);
}

}  // namespace

FoldedNorms::FoldedNorms(const Graph& graph, const Lowering& lowering,
                         const TorchNetwork& network) {
  for (std::size_t l = 0; l < lowering.layers.size(); ++l) {
    if (!std::holds_alternative<GemmOp>(lowering.network.layers[l].op)) continue;
    const LayerOrigin& origin = lowering.layers[l];
    Layer& layer = layers_[origin.op];
    const Node& operation = node_of(graph, origin.op);
    if (has_bias(operation.layer)) layer.bias = network.tensor(operation.name + ".bias");
    for (const NodeId id : origin.norms) {
      const Node& norm = node_of(graph, id);
      const auto tensor = [&](const char* part) { return network.tensor(norm.name + "." + part); };
      layer.norms.push_back(
          {tensor("weight"), tensor("bias"), tensor("running_mean"),
           at::sqrt(tensor("running_var") + std::get<BatchNorm>(norm.layer).eps)});
    }
    operations_[origin.norms.empty() ? origin.op : origin.norms.back()] = origin.op;
  }
}

at::Tensor FoldedNorms::weight(NodeId operation, const at::Tensor& weight) const {
  at::Tensor folded = weight;
  for (const Norm& norm : layers_.at(operation).norms)
    folded = folded * along_first(norm.factor(), weight.dim());
  return folded;
}

std::optional<NodeId> FoldedNorms::operation(NodeId node) const {
  const auto found = operations_.find(node);
  return found == operations_.end() ? std::nullopt : std::optional<NodeId>(found->second);
}

at::Tensor FoldedNorms::add_bias(NodeId operation, const at::Tensor& sum,
                                 const at::Tensor& units) const {
  const Layer& layer = layers_.at(operation);
  at::Tensor bias = layer.bias;
  for (const Norm& norm : layer.norms) {
    const at::Tensor centred = bias.defined() ? bias - norm.mean : -norm.mean;
    bias = centred * norm.factor() + norm.beta;
  }
  if (!bias.defined()) return sum;
  if (units.defined()) bias = bias + (at::round(bias / units) * units - bias).detach();
  return sum + bias.reshape({1, -1, 1, 1});
}

}  // namespace bitpulse
