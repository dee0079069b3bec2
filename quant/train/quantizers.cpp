// SPDX-License-Identifier: Apache-2.0
#include "quant/train/quantizers.h"

#include "quant/lower.h"
#include "quant/train/fake_quant.h"

namespace bitpulse {

namespace {

at::Tensor activate(const at::Tensor& value, const Activation& activation) {
  if (activation == Activation{}) return value;
  at::Tensor result = at::leaky_relu(value, activation.negative_slope);
  return activation.is_bounded() ? result.clamp_max(activation.max) : result;
}

}  // namespace

Quantizers::Quantizers(const Workload& workload, const at::Device& device) : workload_(workload) {
  const QuantizationSpec& spec = workload.quantization;
  if (spec.method == "float") return;
  lowering_ = lower_with_origins(workload);
  placement_ = place_quantizers(workload, lowering_);
  for (const WeightSite& site : placement_.weights) {
    const Node& node = workload.graph.nodes[static_cast<std::size_t>(site.node)];
    weights_[site.node] = make_weight_quantizer(
        spec, site.bits, std::holds_alternative<Conv2d>(node.layer), node.name, device);
    if (weights_[site.node]->keeps_steps())
      steps_.push_back({weight_step_name(node.name), weights_[site.node]->step()});
  }
  for (const ActivationSite& site : placement_.activations) {
    // HAWQ-V3's pass gradients of negative values, which a ReLU has to stop.
    const bool rectifies =
        site.before == Activation{} && !site.precision.is_signed && spec.method != "hawq";
    sites_.push_back({make_activation_quantizer(spec, site.precision, site.features, device),
                      site.before, rectifies});
    const FakeQuantizer& quantizer = *sites_.back().quantizer;
    steps_.push_back({activation_step_name(site), quantizer.step()});
    if (quantizer.range().defined())
      steps_.push_back({activation_range_name(site), quantizer.range()});
  }
  for (const QuantizedEdge& edge : placement_.edges) edges_[{edge.node, edge.input}] = edge.site;
}

void Quantizers::after_step() {
  for (const Site& site : sites_) site.quantizer->after_step();
  for (const auto& [node, quantizer] : weights_) quantizer->after_step();
}

std::int64_t Quantizers::floor_hits() const {
  std::int64_t hits = 0;
  for (const Site& site : sites_) hits += site.quantizer->floor_hits();
  for (const auto& [node, quantizer] : weights_) hits += quantizer->floor_hits();
  return hits;
}

void Quantizers::fold(const TorchNetwork& network) {
  if (folded()) return;
  if (workload_.quantization.method == "hawq")
    folded_norms_.emplace(workload_.graph, lowering_, network);
  else
    folded_.emplace(workload_, lowering_, placement_, network);
  for (const Site& site : sites_) site.quantizer->freeze();
}

void Quantizers::begin(bool training) {
  training_ = training;
  done_.clear();
  if (!folded_) return;
  std::vector<at::Tensor> weight_steps, activation_steps;
  for (const WeightSite& site : placement_.weights)
    weight_steps.push_back(weights_.at(site.node)->step());
  for (const Site& site : sites_) activation_steps.push_back(site.quantizer->step());
  folded_->update(weight_steps, activation_steps);
}

at::Tensor Quantizers::finish(NodeId node, const at::Tensor& value) {
  if (folded_) return folded_->finish(node, value);
  const std::optional<NodeId> operation = folded_norms_->operation(node);
  return operation ? folded_norms_->add_bias(*operation, value, bias_units(*operation)) : value;
}

at::Tensor Quantizers::bias_units(NodeId operation) const {
  const auto edge = edges_.find({operation, 0});
  if (edge == edges_.end()) return {};
  return weights_.at(operation)->step() * sites_[edge->second].quantizer->step();
}

bool Quantizers::quantizes(NodeId node, std::size_t input) const {
  return edges_.count({node, input}) > 0;
}

bool Quantizers::rectifies(NodeId node, std::size_t input) const {
  const auto edge = edges_.find({node, input});
  return edge != edges_.end() && sites_[edge->second].rectifies;
}

at::Tensor Quantizers::activation(NodeId node, std::size_t input, NodeId source,
                                  const at::Tensor& value) {
  const std::size_t site = edges_.at({node, input});
  at::Tensor& done = done_[{site, source}];
  if (!done.defined())
    done = sites_[site].quantizer->forward(activate(value, sites_[site].before), training_);
  const double factor = folded_ ? folded_->factor(node, input) : 1;
  return factor == 1 ? done : done * factor;
}

at::Tensor Quantizers::weight(NodeId node, const at::Tensor& weight) {
  const auto found = weights_.find(node);
  if (found == weights_.end()) return weight;
  return found->second->forward(folded_norms_ ? folded_norms_->weight(node, weight) : weight,
                                training_);
}

}  // namespace bitpulse
