// SPDX-License-Identifier: Apache-2.0
#pragma once

// A graph as torch operations, with its parameters under the names they have in weight files.

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "models/graph.h"

namespace bitpulse {

/// A tensor that a checkpoint keeps.
struct NamedTensor {
  std::string name;
  at::Tensor value;
};

/// Replaces what input `input` of a node reads, and its weights, by what the model shall compute
/// with. Values are those of `source`, the node whose output is read (slices and flattenings are
/// applied afterwards).
class QuantizerSet {
 public:
  virtual ~QuantizerSet() = default;
  /// Begins a forward pass.
  virtual void begin(bool training) = 0;
  virtual bool quantizes(NodeId node, std::size_t input) const = 0;
  /// True where it makes zeros of negative values, so that a ReLU before it changes nothing.
  virtual bool rectifies(NodeId node, std::size_t input) const = 0;
  virtual at::Tensor activation(NodeId node, std::size_t input, NodeId source,
                                const at::Tensor& value) = 0;
  virtual at::Tensor weight(NodeId node, const at::Tensor& weight) = 0;
  /// True: the network leaves out batch norms and biases, and finish() does their work.
  virtual bool folded() const = 0;
  /// The value of a node made of the value computed; called where folded.
  virtual at::Tensor finish(NodeId node, const at::Tensor& value) = 0;
};

class TorchNetwork {
 public:
  /// errors  kInvalidInput: a tensor is missing or its shape does not fit, naming both
  TorchNetwork(const Graph& graph, const Weights& weights, const at::Device& device);

  /// The first output, [images, classes], of images [images, c, h, w].
  ///
  /// training  batch norms use and track the statistics of the batch; a ReLU that
  ///           only rectifying quantizers read is left to them, which saves a pass over memory
  at::Tensor forward(const at::Tensor& images, bool training, QuantizerSet* quantizers = nullptr);

  /// Called with every node's output; may be empty.
  std::function<void(NodeId, const at::Tensor&)> observer;

  /// Share of a batch in the running statistics of batch norms.
  double norm_momentum = 0.1;

  const Graph& graph() const { return graph_; }
  /// What is learned, in a fixed order; leaves with gradients.
  const std::vector<NamedTensor>& parameters() const { return parameters_; }
  /// Running statistics of batch norms.
  const std::vector<NamedTensor>& buffers() const { return buffers_; }
  /// "<node>.<part>", one of either.
  const at::Tensor& tensor(const std::string& name) const { return by_name_.at(name); }
  /// Copies of parameters and buffers, as a weight file holds them.
  Weights weights() const;

 private:
  struct Pass;
  bool is_rectified(NodeId node, const QuantizerSet& quantizers) const;
  void add(const Weights& weights, const Node& node, const std::string& part,
           const std::vector<std::int64_t>& dims, bool learned);

  Graph graph_;
  std::vector<std::vector<NodeId>> readers_;  // by node
  at::Device device_;
  std::vector<NamedTensor> parameters_, buffers_;
  std::map<std::string, at::Tensor> by_name_;
};

/// Copies floats to the device, or back.
at::Tensor to_tensor(const std::vector<float>& values, const std::vector<std::int64_t>& dims,
                     const at::Device& device);
Tensor<float> to_values(const at::Tensor& tensor);

}  // namespace bitpulse
