// SPDX-License-Identifier: Apache-2.0
#pragma once

// The graph that grows while the nodes of an ONNX file are converted one after the other.

#include <string>
#include <unordered_map>
#include <vector>

#include "models/io/onnx_reader.h"
#include "models/io/onnx_scope.h"

namespace bitpulse {

class OnnxNetwork : public OnnxScope {
 public:
  /// Reads the file and makes its inputs and constants known.
  explicit OnnxNetwork(const std::string& path);

  const OnnxModel& model() const { return model_; }
  /// Takes the node to convert.
  void go_to(const OnnxNode& node) { node_ = &node; }
  /// After the last node: marks the outputs, and refuses a node that nothing reads.
  ImportedNetwork finish();

  const Shape& shape(const OnnxValue& value) const;
  /// Nodes and outputs of the file that read a name.
  int readers(const std::string& name) const;

  /// The node's first output is `value`; others are masks and statistics that nobody may read.
  void define(OnnxValue value);
  /// The node is a layer of its own, which makes its first output.
  NodeId become(const Layer& layer, const std::vector<const OnnxValue*>& inputs, bool is_flat);
  /// The node adds constant input `at` to the layer that makes its other input, as its bias.
  void become_bias(std::size_t at);

  /// A layer's weights. errors kLimit: all layers together have too many
  std::vector<float> weights(std::size_t i);
  void set_parameter(NodeId id, const char* name, std::vector<std::int64_t> dims,
                     std::vector<float> values);

 private:
  void add_input(const OnnxInput& input);
  NodeId add(const std::string& name, const Layer& layer, std::vector<NodeId> inputs);

  OnnxModel model_;
  ImportedNetwork network_;
  std::unordered_map<std::string, int> readers_;
  std::unordered_map<NodeId, std::string> made_as_;  // the output each layer was made for
  std::size_t parameters_ = 0;
};

/// A constant as it stands in the file.
OnnxValue constant_value(SafeTensor tensor);

}  // namespace bitpulse
