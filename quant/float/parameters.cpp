// SPDX-License-Identifier: Apache-2.0
#include "quant/float/parameters.h"

#include <cmath>

#include "models/error.h"

namespace bitpulse {

namespace {

std::string text(const std::vector<std::int64_t>& dims) {
  std::string result = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) result += (i ? ", " : "") + std::to_string(dims[i]);
  return result + "]";
}

[[noreturn]] void fail(const Node& node, const std::string& tensor, const std::string& why) {
  throw Error(ErrorKind::kInvalidInput, "weights: tensor '" + tensor + "' of node '" + node.name +
                                            "' (" + kind_name(node.layer) + "): " + why);
}

}  // namespace

std::vector<std::int64_t> weight_dims(const Graph& graph, const Node& node) {
  const Shape& in = graph.nodes[static_cast<std::size_t>(node.inputs[0])].shape;
  if (const auto* conv = std::get_if<Conv2d>(&node.layer))
    return {conv->out_channels, in.c / conv->groups, conv->window.kernel_h, conv->window.kernel_w};
  if (const auto* linear = std::get_if<Linear>(&node.layer))
    return {linear->out_features, in.elements()};
  return {std::get<Gemm>(node.layer).n, in.c};
}

bool has_bias(const Layer& layer) {
  if (const auto* conv = std::get_if<Conv2d>(&layer)) return conv->bias;
  if (const auto* linear = std::get_if<Linear>(&layer)) return linear->bias;
  return false;
}

const std::vector<float>& parameter(const Weights& weights, const Node& node,
                                    const std::string& part,
                                    const std::vector<std::int64_t>& dims) {
  const std::string name = node.name + "." + part;
  const auto found = weights.find(name);
  if (found == weights.end()) fail(node, name, "missing, expected " + text(dims));
  if (found->second.dims != dims)
    fail(node, name, "found " + text(found->second.dims) + ", expected " + text(dims));
  for (const float value : found->second.data)
    if (!std::isfinite(value)) fail(node, name, "has a value that is not finite");
  return found->second.data;
}

ChannelAffine batch_norm_affine(const Weights& weights, const Node& node) {
  const std::vector<std::int64_t> dims{node.shape.c};
  const auto& gamma = parameter(weights, node, "weight", dims);
  const auto& beta = parameter(weights, node, "bias", dims);
  const auto& mean = parameter(weights, node, "running_mean", dims);
  const auto& variance = parameter(weights, node, "running_var", dims);
  const double eps = std::get<BatchNorm>(node.layer).eps;
  ChannelAffine affine;
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    const double under_root = static_cast<double>(variance[c]) + eps;
    if (!(under_root > 0))
      fail(node, node.name + ".running_var",
           "plus eps is not positive in channel " + std::to_string(c));
    affine.scale.push_back(gamma[c] / std::sqrt(under_root));
    affine.shift.push_back(beta[c] - mean[c] * affine.scale.back());
  }
  return affine;
}

void check_parameters(const Graph& graph, const Weights& weights) {
  for (const Node& node : graph.nodes) {
    const bool is_gemm = std::holds_alternative<Conv2d>(node.layer) ||
                         std::holds_alternative<Linear>(node.layer) ||
                         std::holds_alternative<Gemm>(node.layer);
    if (is_gemm) parameter(weights, node, "weight", weight_dims(graph, node));
    if (has_bias(node.layer)) parameter(weights, node, "bias", {node.shape.c});
    if (std::holds_alternative<BatchNorm>(node.layer)) batch_norm_affine(weights, node);
  }
}

}  // namespace bitpulse
