// SPDX-License-Identifier: Apache-2.0
#pragma once

// The quantizers of a training model: those of a method, at the places of the deployed network.

#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "quant/placement.h"
#include "quant/train/fake_quantizer.h"
#include "quant/train/folded_layers.h"
#include "quant/train/folded_norms.h"
#include "quant/train/network.h"

namespace bitpulse {

class Quantizers : public QuantizerSet {
 public:
  /// errors  kInvalidInput: lower()'s, and bits that the method cannot learn
  Quantizers(const Workload& workload, const at::Device& device);

  /// Every step, and every range that one follows, under the name it has in a model file (see
  /// quant/placement.h).
  const std::vector<NamedTensor>& steps() const { return steps_; }
  void after_step();
  /// Lifted steps since the training began (see FakeQuantizer).
  std::int64_t floor_hits() const;

  /// From now on layers compute in the arithmetic of the deployed network, with the batch norms'
  /// statistics that are in `network` now; ranges stay as they are. Asked again, nothing changes.
  void fold(const TorchNetwork& network);

  void begin(bool training) override;
  bool quantizes(NodeId node, std::size_t input) const override;
  bool rectifies(NodeId node, std::size_t input) const override;
  at::Tensor activation(NodeId node, std::size_t input, NodeId source,
                        const at::Tensor& value) override;
  at::Tensor weight(NodeId node, const at::Tensor& weight) override;
  bool folded() const override { return folded_ || folded_norms_; }
  at::Tensor finish(NodeId node, const at::Tensor& value) override;

 private:
  struct Site {
    std::unique_ptr<FakeQuantizer> quantizer;
    Activation before;
    bool rectifies = false;
  };
  /// Of the biases of a layer, from its quantizers; undefined where it reads real values.
  at::Tensor bias_units(NodeId operation) const;

  const Workload& workload_;
  Lowering lowering_;
  Placement placement_;
  std::optional<FoldedLayers> folded_;
  std::optional<FoldedNorms> folded_norms_;  // HAWQ-V3's way to do it
  bool training_ = false;
  std::vector<Site> sites_;                                      // of activations
  std::map<std::pair<NodeId, std::size_t>, std::size_t> edges_;  // what an input reads
  std::map<NodeId, std::unique_ptr<FakeQuantizer>> weights_;     // by node
  std::vector<NamedTensor> steps_;
  std::map<std::pair<std::size_t, NodeId>, at::Tensor> done_;  // in this pass: site and source
};

}  // namespace bitpulse
