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
    add_steps(weight_step_name(node.name), *weights_[site.node]);
  }
  for (const ActivationSite& site : placement_.activations) {
    sites_.push_back({make_activation_quantizer(spec, site.precision, site.features, device),
                      site.before, site.before == Activation{} && !site.precision.is_signed});
    add_steps(activation_step_name(site), *sites_.back().quantizer);
  }
  for (const QuantizedEdge& edge : placement_.edges) edges_[{edge.node, edge.input}] = edge.site;
}

void Quantizers::add_steps(const std::string& name, const FakeQuantizer& quantizer) {
  steps_.push_back({name, quantizer.step()});
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
  if (!folded_) folded_.emplace(workload_, lowering_, placement_, network);
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
  return folded_->finish(node, value);
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
  return found == weights_.end() ? weight : found->second->forward(weight, training_);
}

}  // namespace bitpulse
