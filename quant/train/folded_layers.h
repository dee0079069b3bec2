// SPDX-License-Identifier: Apache-2.0
#pragma once

// Layers in the arithmetic of the deployed network, for the last part of a training: batch norms
// are constants, and biases and ratios of scales are those that the export will write (see
// quant/deployed_arithmetic.h). Weights keep the form in which they were trained, W rather than
// A W, so that their codes, steps and momenta are what they were; the values are the same.

#include <ATen/ATen.h>

#include <map>
#include <vector>

#include "quant/deployed_arithmetic.h"
#include "quant/train/network.h"

namespace bitpulse {

class FoldedLayers {
 public:
  /// Batch norms stay what they are in `network` now, but for their biases, which go on learning.
  FoldedLayers(const Workload& workload, const Lowering& lowering, const Placement& placement,
               const TorchNetwork& network);

  /// Takes today's steps, by site; called before a pass.
  void update(const std::vector<at::Tensor>& weight_steps,
              const std::vector<at::Tensor>& activation_steps);

  /// Makes the value of a layer of its plain sum; other nodes' values stay.
  at::Tensor finish(NodeId node, const at::Tensor& value) const;
  /// What an operand of a low-bit residual is multiplied by.
  double factor(NodeId node, std::size_t input) const;

 private:
  struct Norm {
    at::Tensor scale, mean, bias;
  };
  struct Layer {
    NodeId end = -1;  // the last batch norm, or the operation
    std::vector<Norm> norms;
    at::Tensor bias;                // of the operation, if it has one
    std::vector<double> factors;    // of all norms
    at::Tensor units, corrections;  // undefined: real
    CodeRange codes;                // of the bias
  };
  at::Tensor rounded_bias(const Layer& layer) const;

  const Workload& workload_;
  const Lowering& lowering_;
  const Placement& placement_;
  std::map<std::size_t, Layer> layers_;  // by layer of the lowering
  std::map<NodeId, std::size_t> by_end_;
  DeployedArithmetic arithmetic_;
};

}  // namespace bitpulse
