// SPDX-License-Identifier: Apache-2.0
#pragma once

// A network: nodes in topological order, each with its layer, its inputs and its inferred shape.
// Node names are PyTorch module paths, so that "<name>.weight" finds its tensor.

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "models/layer.h"

namespace bitpulse {

using NodeId = std::int32_t;

/// More nodes are refused with Error(kLimit).
inline constexpr std::size_t kMaxNodes = 16'384;

struct Node {
  std::string name;
  Layer layer;
  std::vector<NodeId> inputs;
  Shape shape;  // of the output, without batch
};

struct Graph {
  std::string name;
  std::vector<Node> nodes;
  std::vector<NodeId> inputs;
  std::vector<NodeId> outputs;
  std::unordered_set<std::string> names;  // of all nodes

  /// Appends a node and infers its shape. `inputs` and `outputs` are the caller's to fill.
  ///
  /// errors  Error(kInvalidInput) naming the node: duplicate name, unknown input, wrong number of
  ///         inputs, shapes that do not fit, a window larger than its padded input, a dimension
  ///         outside 1..kMaxDim or more than kMaxElements elements
  NodeId add(std::string node_name, Layer layer, std::vector<NodeId> node_inputs);
};

/// Multiply-accumulates of one image (padding included), batch norm and pooling not counted.
std::int64_t count_macs(const Graph& graph);

/// Trainable values: weights, biases, batch-norm weight and bias (not running statistics).
std::int64_t count_parameters(const Graph& graph);

/// The nodes that read each node.
std::vector<std::vector<NodeId>> consumers(const Graph& graph);

}  // namespace bitpulse
