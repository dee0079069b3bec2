// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shorthand for writing a network down: each call appends nodes and returns the last one's id. A
// convolution block is "<conv>", then "<bn>" and "<act>" where those are given a name.

#include <string>
#include <vector>

#include "models/graph.h"

namespace bitpulse {

/// A square window with the same padding on all sides.
Window square(std::int64_t kernel, std::int64_t stride = 1, std::int64_t pad = 0);

/// A kernel_h x kernel_w window of stride 1 that keeps height and width.
Window same(std::int64_t kernel_h, std::int64_t kernel_w);

/// TensorFlow's SAME padding on an input whose size the stride divides: an odd excess goes to the
/// bottom and right.
Window tensorflow_same(std::int64_t kernel, std::int64_t stride);

class NetBuilder {
 public:
  NetBuilder(std::string name, Shape input);

  NodeId input() const { return graph_.inputs[0]; }
  std::int64_t channels(NodeId id) const;
  const Shape& shape(NodeId id) const;

  NodeId add(const std::string& name, Layer layer, std::vector<NodeId> inputs);
  NodeId conv(const std::string& name, NodeId from, std::int64_t out, const Window& window,
              bool bias = false, std::int64_t groups = 1);
  NodeId batch_norm(const std::string& name, NodeId from, double eps = 1e-5);
  NodeId relu(const std::string& name, NodeId from);
  NodeId relu6(const std::string& name, NodeId from);
  NodeId max_pool(const std::string& name, NodeId from, const Window& window,
                  bool ceil_mode = false);
  NodeId linear(const std::string& name, NodeId from, std::int64_t out);

  /// The graph with `output` as its one output.
  Graph finish(NodeId output);

 private:
  Graph graph_;
};

}  // namespace bitpulse
