// SPDX-License-Identifier: Apache-2.0
#include "quant/train/initial_weights.h"

#include <cmath>

#include "models/random.h"
#include "quant/float/parameters.h"
#include "quant/lower/widths.h"

namespace bitpulse {

namespace {

constexpr std::uint64_t kWeightStream = 3;

Tensor<float> he_normal(const std::vector<std::int64_t>& dims, RandomStream random) {
  Tensor<float> tensor{dims, {}};
  std::int64_t fan_in = 1;
  for (std::size_t i = 1; i < dims.size(); ++i) fan_in *= dims[i];
  const double deviation = std::sqrt(2 / static_cast<double>(fan_in));
  tensor.data.resize(static_cast<std::size_t>(fan_in * dims[0]));
  for (float& value : tensor.data) value = static_cast<float>(deviation * random.normal());
  return tensor;
}

Tensor<float> constant(std::int64_t channels, float value) {
  return {{channels}, std::vector<float>(static_cast<std::size_t>(channels), value)};
}

}  // namespace

Weights initial_weights(const Graph& graph, std::uint64_t seed) {
  Weights weights;
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    if (std::holds_alternative<BatchNorm>(node.layer)) {
      for (const char* part : {".weight", ".running_var"})
        weights[node.name + part] = constant(node.shape.c, 1);
      for (const char* part : {".bias", ".running_mean"})
        weights[node.name + part] = constant(node.shape.c, 0);
    } else if (weight_channels(node.layer) > 0) {
      weights[node.name + ".weight"] = he_normal(
          weight_dims(graph, node), {seed, kWeightStream, static_cast<std::uint64_t>(id)});
      if (has_bias(node.layer)) weights[node.name + ".bias"] = constant(node.shape.c, 0);
    }
  }
  return weights;
}

}  // namespace bitpulse
