// SPDX-License-Identifier: Apache-2.0
#include "models/graph.h"

#include <utility>

#include "models/error.h"
#include "models/shape_inference.h"

namespace bitpulse {

NodeId Graph::add(std::string node_name, Layer layer, std::vector<NodeId> node_inputs) {
  const std::string place = "network '" + name + "', node '" + node_name + "'";
  if (node_name.empty()) throw Error(ErrorKind::kInvalidInput, place + ": a node needs a name");
  if (nodes.size() >= kMaxNodes) {
    throw Error(ErrorKind::kLimit, place + ": more than " + std::to_string(kMaxNodes) + " nodes");
  }
  if (names.count(node_name) != 0) {
    throw Error(ErrorKind::kInvalidInput, place + ": another node has this name");
  }
  std::vector<Shape> shapes;
  for (const NodeId id : node_inputs) {
    if (id < 0 || id >= static_cast<NodeId>(nodes.size())) {
      throw Error(ErrorKind::kInvalidInput, place + ": input " + std::to_string(id) +
                                                " is no earlier node (there are " +
                                                std::to_string(nodes.size()) + ")");
    }
    shapes.push_back(nodes[static_cast<std::size_t>(id)].shape);
  }
  const Shape shape = infer_shape(place, layer, shapes);
  names.insert(node_name);
  nodes.push_back({std::move(node_name), layer, std::move(node_inputs), shape});
  return static_cast<NodeId>(nodes.size() - 1);
}

namespace {

const Shape& input_shape(const Graph& graph, const Node& node) {
  return node.inputs.empty() ? node.shape
                             : graph.nodes[static_cast<std::size_t>(node.inputs[0])].shape;
}

/// Values beside the weights: bias, and weight and bias of a batch norm.
std::int64_t per_channel_parameters(const Node& node) {
  if (const auto* conv = std::get_if<Conv2d>(&node.layer)) return conv->bias ? node.shape.c : 0;
  if (const auto* linear = std::get_if<Linear>(&node.layer)) {
    return linear->bias ? node.shape.c : 0;
  }
  return std::holds_alternative<BatchNorm>(node.layer) ? 2 * node.shape.c : 0;
}

}  // namespace

std::int64_t count_macs(const Graph& graph) {
  std::int64_t macs = 0;
  for (const Node& node : graph.nodes) {
    macs += layer_macs(node.layer, input_shape(graph, node), node.shape);
  }
  return macs;
}

std::int64_t count_parameters(const Graph& graph) {
  std::int64_t parameters = 0;
  for (const Node& node : graph.nodes) {
    parameters +=
        weight_elements(node.layer, input_shape(graph, node)) + per_channel_parameters(node);
  }
  return parameters;
}

std::vector<std::vector<NodeId>> consumers(const Graph& graph) {
  std::vector<std::vector<NodeId>> readers(graph.nodes.size());
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    for (const NodeId input : graph.nodes[id].inputs) {
      auto& list = readers[static_cast<std::size_t>(input)];
      // A node that reads the same input twice is one consumer.
      if (list.empty() || list.back() != static_cast<NodeId>(id)) {
        list.push_back(static_cast<NodeId>(id));
      }
    }
  }
  return readers;
}

}  // namespace bitpulse
