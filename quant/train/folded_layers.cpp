// SPDX-License-Identifier: Apache-2.0
#include "quant/train/folded_layers.h"

#include <algorithm>
#include <utility>

#include "quant/float/parameters.h"

namespace bitpulse {

namespace {

std::size_t index(NodeId id) { return static_cast<std::size_t>(id); }

at::Tensor channels(const std::vector<double>& values, const at::Device& device) {
  return to_tensor({values.begin(), values.end()}, {static_cast<std::int64_t>(values.size())},
                   device);
}

/// [c] against [images, c, h, w].
at::Tensor spread(const at::Tensor& values) { return values.reshape({1, -1, 1, 1}); }

std::vector<double> numbers(const at::Tensor& tensor) {
  const std::vector<float> values = to_values(tensor).data;
  return {values.begin(), values.end()};
}

}  // namespace

FoldedLayers::FoldedLayers(const Workload& workload, const Lowering& lowering,
                           const Placement& placement, const TorchNetwork& network)
    : workload_(workload), lowering_(lowering), placement_(placement) {
  const Weights weights = network.weights();
  for (std::size_t l = 0; l < lowering.layers.size(); ++l) {
    if (!std::holds_alternative<GemmOp>(lowering.network.layers[l].op)) continue;
    const LayerOrigin& origin = lowering.layers[l];
    const Node& op = workload.graph.nodes[index(origin.op)];
    Layer layer;
    layer.end = origin.norms.empty() ? origin.op : origin.norms.back();
    if (has_bias(op.layer)) layer.bias = network.tensor(op.name + ".bias");
    for (const NodeId id : origin.norms) {
      const Node& norm = workload.graph.nodes[index(id)];
      const at::Tensor bias = network.tensor(norm.name + ".bias");
      layer.norms.push_back({channels(batch_norm_affine(weights, norm).scale, bias.device()),
                             network.tensor(norm.name + ".running_mean"), bias});
    }
    layer.factors =
        norm_factors(workload.graph, origin.norms, weights, static_cast<std::size_t>(op.shape.c));
    by_end_[layer.end] = l;
    layers_[l] = std::move(layer);
  }
}

void FoldedLayers::update(const std::vector<at::Tensor>& weight_steps,
                          const std::vector<at::Tensor>& activation_steps) {
  LearnedScales scales;
  for (std::size_t s = 0; s < weight_steps.size(); ++s) {
    std::vector<double> steps = numbers(weight_steps[s]);
    const std::vector<double>& factors = layers_.at(placement_.weights[s].layer).factors;
    steps.resize(factors.size(), steps[0]);
    std::transform(steps.begin(), steps.end(), factors.begin(), steps.begin(),
                   std::multiplies<double>());
    scales.weights.push_back(std::move(steps));
  }
  for (const at::Tensor& step : activation_steps)
    scales.activations.push_back(static_cast<double>(step.item<float>()));
  arithmetic_ = deployed_arithmetic(workload_, lowering_, placement_, scales);
  for (const DeployedLayer& deployed : arithmetic_.layers) {
    const WeightSite& site = placement_.weights[deployed.site];
    Layer& layer = layers_.at(site.layer);
    const at::Device device = weight_steps[deployed.site].device();
    layer.units = channels(deployed.units, device);
    layer.corrections = channels(deployed.corrections, device);
    layer.codes = deployed.bias;
  }
}

/// The bias behind all norms, on the accumulator's grid; gradients pass.
at::Tensor FoldedLayers::rounded_bias(const Layer& layer) const {
  at::Tensor bias = layer.bias;
  for (const Norm& norm : layer.norms) {
    const at::Tensor before = bias.defined() ? bias - norm.mean : -norm.mean;
    bias = before * norm.scale + norm.bias;
  }
  if (!bias.defined() || !layer.units.defined()) return bias;
  const at::Tensor code =
      at::clamp(at::round(bias / layer.units), layer.codes.min, layer.codes.max);
  // A channel without a scale, which gamma 0 leaves, keeps its bias.
  const at::Tensor rounded = at::where(layer.units.eq(0), bias, code * layer.units);
  return bias + (rounded - bias).detach();
}

at::Tensor FoldedLayers::finish(NodeId node, const at::Tensor& value) const {
  const auto found = by_end_.find(node);
  if (found == by_end_.end()) return value;
  const Layer& layer = layers_.at(found->second);
  at::Tensor factor = at::ones({value.size(1)}, value.options());
  for (const Norm& norm : layer.norms) factor = factor * norm.scale;
  at::Tensor bias = rounded_bias(layer);
  if (layer.corrections.defined()) {
    factor = factor * layer.corrections;
    if (bias.defined()) bias = bias * layer.corrections;
  }
  if (!bias.defined()) return value * spread(factor);
  return at::addcmul(spread(bias), value, spread(factor));
}

double FoldedLayers::factor(NodeId node, std::size_t input) const {
  const auto found = arithmetic_.operands.find({node, input});
  return found == arithmetic_.operands.end() ? 1 : found->second;
}

}  // namespace bitpulse
