// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small graphs, written down tersely: g.conv("c1", x, 8), g.relu("r1", c1), ...

#include <string>
#include <utility>
#include <vector>

#include "models/workload.h"

namespace bitpulse {

struct SmallGraph {
  Workload workload;

  SmallGraph() {
    workload.name = "small";
    workload.graph.name = "small";
  }
  Graph& graph() { return workload.graph; }
  const Shape& shape(NodeId id) const {
    return workload.graph.nodes[static_cast<std::size_t>(id)].shape;
  }

  NodeId input(Shape shape, const std::string& name = "x") {
    const NodeId id = graph().add(name, Input{shape}, {});
    graph().inputs.push_back(id);
    return id;
  }
  NodeId node(const std::string& name, Layer layer, std::vector<NodeId> inputs) {
    return graph().add(name, std::move(layer), std::move(inputs));
  }
  /// Square kernel, padded to keep the size at stride 1.
  NodeId conv(const std::string& name, NodeId in, std::int64_t channels, std::int64_t kernel = 3,
              std::int64_t stride = 1, std::int64_t groups = 1) {
    return node(name, Conv2d{channels, square(kernel, stride, kernel / 2), groups, false}, {in});
  }
  NodeId norm(const std::string& name, NodeId in) { return node(name, BatchNorm{}, {in}); }
  NodeId relu(const std::string& name, NodeId in) { return node(name, Relu{}, {in}); }
  NodeId add(const std::string& name, NodeId a, NodeId b) { return node(name, Add{}, {a, b}); }
  NodeId max_pool(const std::string& name, NodeId in) {
    return node(name, MaxPool{square(2, 2, 0), false}, {in});
  }
  void output(NodeId id) { graph().outputs.push_back(id); }

  static Window square(std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
    return {kernel, kernel, stride, stride, pad, pad, pad, pad, 1, 1};
  }
};

/// conv, bn, relu; a block with an identity shortcut, one with an option-A shortcut, one with a
/// downsample convolution; global average pool and classifier.
inline SmallGraph small_resnet() {
  SmallGraph g;
  const NodeId x = g.input({3, 8, 8});
  const NodeId stem = g.relu("relu1", g.norm("bn1", g.conv("conv1", x, 8)));
  const auto branch = [&g](const std::string& name, NodeId in, std::int64_t channels,
                           std::int64_t stride) {
    const NodeId a = g.conv(name + ".conv1", in, channels, 3, stride);
    const NodeId b = g.relu(name + ".relu1", g.norm(name + ".bn1", a));
    return g.norm(name + ".bn2", g.conv(name + ".conv2", b, channels));
  };
  const NodeId one = g.relu("b1.out", g.add("b1.add", branch("b1", stem, 8, 1), stem));
  const NodeId slice = g.node("b2.slice", SlicePad{2, 4, 4}, {one});
  const NodeId two = g.relu("b2.out", g.add("b2.add", branch("b2", one, 16, 2), slice));
  const NodeId main = branch("b3", two, 24, 2);
  const NodeId down = g.norm("b3.down.bn", g.conv("b3.down", two, 24, 1, 2));
  const NodeId three = g.relu("b3.out", g.add("b3.add", main, down));
  const NodeId pool = g.node("pool", GlobalAvgPool{}, {three});
  g.output(g.node("fc", Linear{10, true}, {g.node("flat", Flatten{}, {pool})}));
  return g;
}

}  // namespace bitpulse
