// SPDX-License-Identifier: Apache-2.0
#pragma once

// HAWQ-V3's second half of a training (Yao et al., ICML 2021): batch norms have their running
// statistics as constants and are folded before the weights are quantized,
//   f = gamma / sqrt(var + eps),  W' = f W,  b' = (b - mean) f + beta,
// so that gradients reach gamma, beta, W and b through f; b' lies on the accumulator's grid.

#include <ATen/ATen.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quant/lower.h"
#include "quant/train/network.h"

namespace bitpulse {

class FoldedNorms {
 public:
  FoldedNorms(const Graph& graph, const Lowering& lowering, const TorchNetwork& network);

  /// W' of a layer's weights.
  at::Tensor weight(NodeId operation, const at::Tensor& weight) const;

  /// The operation whose layer `node` ends: itself, or the one before its batch norms.
  std::optional<NodeId> operation(NodeId node) const;

  /// The layer's plain sum plus b'.
  ///
  /// units  of b', by output channel; undefined: it stays real
  at::Tensor add_bias(NodeId operation, const at::Tensor& sum, const at::Tensor& units) const;

 private:
  struct Norm {
    at::Tensor gamma, beta, mean, deviation;
    at::Tensor factor() const { return gamma / deviation; }
  };
  struct Layer {
    std::vector<Norm> norms;
    at::Tensor bias;  // of the operation, if it has one
  };

  std::map<NodeId, Layer> layers_;  // by operation
  std::map<NodeId, NodeId> operations_;
};

}  // namespace bitpulse
