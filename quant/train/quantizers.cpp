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

Quantizers::Quantizers(const Workload& workload, const at::Device& device) {
  const QuantizationSpec& spec = workload.quantization;
  if (spec.method == "float") return;
  const Placement placement = place_quantizers(workload, lower_with_origins(workload));
  for (const WeightSite& site : placement.weights) {
    const Node& node = workload.graph.nodes[static_cast<std::size_t>(site.node)];
    weights_[site.node] = make_weight_quantizer(
        spec, site.bits, std::holds_alternative<Conv2d>(node.layer), node.name, device);
    add_steps(weight_step_name(node.name), *weights_[site.node]);
  }
  for (const ActivationSite& site : placement.activations) {
    sites_.push_back({make_activation_quantizer(spec, site.precision, site.features, device),
                      site.before, site.before == Activation{} && !site.precision.is_signed});
    add_steps(activation_step_name(site), *sites_.back().quantizer);
  }
  for (const QuantizedEdge& edge : placement.edges) edges_[{edge.node, edge.input}] = edge.site;
}

void Quantizers::add_steps(const std::string& name, const FakeQuantizer& quantizer) {
  steps_.push_back({name, quantizer.step()});
}

void Quantizers::after_step() {
  for (const Site& site : sites_) site.quantizer->after_step();
  for (const auto& [node, quantizer] : weights_) quantizer->after_step();
}

void Quantizers::begin(bool training) {
  training_ = training;
  done_.clear();
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
  return done;
}

at::Tensor Quantizers::weight(NodeId node, const at::Tensor& weight) {
  const auto found = weights_.find(node);
  return found == weights_.end() ? weight : found->second->forward(weight, training_);
}

}  // namespace bitpulse
