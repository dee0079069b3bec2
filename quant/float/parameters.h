// SPDX-License-Identifier: Apache-2.0
#pragma once

// The real parameters of a node, found by name and checked by shape: "<node>.weight" (conv2d OIHW,
// linear [out][in], gemm [n][k]), "<node>.bias", and of a batch norm "weight", "bias",
// "running_mean" and "running_var".

#include <cstdint>
#include <string>
#include <vector>

#include "models/graph.h"

namespace bitpulse {

/// Dimensions of "<node>.weight" of a conv2d, linear or gemm node.
std::vector<std::int64_t> weight_dims(const Graph& graph, const Node& node);

/// True where the layer adds "<node>.bias".
bool has_bias(const Layer& layer);

/// The values of "<node>.<part>".
///
/// errors  kInvalidInput naming node and tensor: missing, other dimensions, not finite
const std::vector<float>& parameter(const Weights& weights, const Node& node,
                                    const std::string& part, const std::vector<std::int64_t>& dims);

/// A batch norm as out = in * scale + shift per channel, from its running statistics.
struct ChannelAffine {
  std::vector<double> scale, shift;
};
ChannelAffine batch_norm_affine(const Weights& weights, const Node& node);

/// Refuses weights that lack one of the graph's, or have it in another shape.
///
/// errors  those of parameter() and batch_norm_affine()
void check_parameters(const Graph& graph, const Weights& weights);

}  // namespace bitpulse
