// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/bn_fold.h"

#include "quant/float/parameters.h"

namespace bitpulse {

namespace {

/// [out][in][pixel] to [out][pixel][in]: OIHW to OHWI, and a linear layer's C, H, W to H, W, C.
std::vector<float> channels_last(const std::vector<float>& weights, std::size_t out,
                                 std::size_t pixels) {
  std::vector<float> result(weights.size());
  const std::size_t in = weights.size() / (out * pixels);
  for (std::size_t o = 0; o < out; ++o)
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t p = 0; p < pixels; ++p)
        result[(o * pixels + p) * in + i] = weights[(o * in + i) * pixels + p];
  return result;
}

}  // namespace

FoldedGemm fold_batch_norms(const Graph& graph, const Lowering& lowering, std::size_t layer,
                            const Weights& weights) {
  const LayerOrigin& origin = lowering.layers[layer];
  const auto& op = std::get<GemmOp>(lowering.network.layers[layer].op);
  const Node& node = graph.nodes[static_cast<std::size_t>(origin.op)];
  const auto channels = op.weight_bits.size();
  const auto pixels = static_cast<std::size_t>(op.window.kernel_h * op.window.kernel_w);
  FoldedGemm folded;
  folded.weights =
      channels_last(parameter(weights, node, "weight", weight_dims(graph, node)), channels, pixels);
  folded.bias.assign(channels, 0);
  if (has_bias(node.layer)) {
    const auto& bias = parameter(weights, node, "bias", {static_cast<std::int64_t>(channels)});
    folded.bias.assign(bias.begin(), bias.end());
  }
  for (const NodeId id : origin.norms) {
    const ChannelAffine norm =
        batch_norm_affine(weights, graph.nodes[static_cast<std::size_t>(id)]);
    for (std::size_t c = 0; c < channels; ++c) {
      float* w = folded.weights.data() + c * folded.per_channel();
      for (std::size_t i = 0; i < folded.per_channel(); ++i)
        w[i] = static_cast<float>(w[i] * norm.scale[c]);
      folded.bias[c] = folded.bias[c] * norm.scale[c] + norm.shift[c];
    }
  }
  return folded;
}

}  // namespace bitpulse
