// SPDX-License-Identifier: Apache-2.0
#include "models/io/onnx_network.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "models/error.h"
#include "models/text.h"

namespace bitpulse {
namespace {

/// Weights of all layers together, shared ones counted for each.
constexpr std::size_t kMaxParameters = std::size_t{1} << 29;

}  // namespace

OnnxValue constant_value(SafeTensor tensor) {
  std::vector<std::int64_t> dims = tensor.dims;
  return {-1, false, std::move(dims), std::make_shared<const SafeTensor>(std::move(tensor))};
}

OnnxNetwork::OnnxNetwork(const std::string& path) : OnnxScope(path), model_(read_onnx_file(path)) {
  network_.graph.name = std::filesystem::path(path).filename().string();
  for (const OnnxNode& node : model_.nodes) {
    for (const std::string& input : node.inputs) ++readers_[input];
  }
  for (const std::string& output : model_.outputs) ++readers_[output];
  for (auto& [name, tensor] : model_.constants) values_[name] = constant_value(std::move(tensor));
  for (const OnnxInput& input : model_.inputs) {
    if (values_.count(input.name) == 0) add_input(input);
  }
  if (network_.graph.inputs.empty()) fail("found no input, expected one");
}

void OnnxNetwork::add_input(const OnnxInput& input) {
  const std::vector<std::int64_t>& dims = input.dims;
  const bool fits = (dims.size() == 2 || dims.size() == 4) && dims[0] <= 1 &&
                    std::all_of(dims.begin() + 1, dims.end(),
                                [](std::int64_t d) { return d >= 1 && d <= kMaxDim; });
  if (!fits) {
    fail("input '" + printable(input.name) + "': found dimensions " + list_text(dims) +
         ", expected [1, C, H, W] or [1, C], the batch 1 or open");
  }
  const Shape shape = dims.size() == 4 ? Shape{dims[1], dims[2], dims[3]} : Shape{dims[1], 1, 1};
  const NodeId id = add(input.name, Input{shape}, {});
  values_[input.name] = {id, dims.size() == 2, {}, nullptr};
  network_.graph.inputs.push_back(id);
}

NodeId OnnxNetwork::add(const std::string& name, const Layer& layer, std::vector<NodeId> inputs) {
  constexpr std::size_t kMaxName = 256;
  const std::string number = std::to_string(network_.graph.nodes.size());
  const bool fits = !name.empty() && name.size() <= kMaxName && printable(name, kMaxName) == name;
  std::string unique = fits ? name : "node" + number;
  if (network_.graph.names.count(unique) != 0) unique += "." + number;
  try {
    return network_.graph.add(unique, layer, std::move(inputs));
  } catch (const Error& error) {
    throw Error(error.kind(), printable(path_, 400) + ": " + error.what());
  }
}

const Shape& OnnxNetwork::shape(const OnnxValue& value) const {
  return network_.graph.nodes[static_cast<std::size_t>(value.node)].shape;
}

int OnnxNetwork::readers(const std::string& name) const {
  const auto found = readers_.find(name);
  return found == readers_.end() ? 0 : found->second;
}

void OnnxNetwork::define(OnnxValue value) {
  const std::vector<std::string>& outputs = node_->outputs;
  if (outputs.empty()) refuse("no output", "one");
  for (std::size_t i = 1; i < outputs.size(); ++i) {
    if (!outputs[i].empty() && readers(outputs[i]) > 0) {
      refuse("a reader of output '" + printable(outputs[i]) + "'", "none");
    }
  }
  if (!values_.emplace(outputs[0], std::move(value)).second) {
    refuse("output '" + printable(outputs[0]) + "' again", "each name once");
  }
}

NodeId OnnxNetwork::become(const Layer& layer, const std::vector<const OnnxValue*>& inputs,
                           bool is_flat) {
  std::vector<NodeId> ids;
  ids.reserve(inputs.size());
  for (const OnnxValue* value : inputs) ids.push_back(value->node);
  const NodeId id = add(title(), layer, std::move(ids));
  define({id, is_flat, {}, nullptr});
  made_as_[id] = node_->outputs[0];
  return id;
}

void OnnxNetwork::become_bias(std::size_t at) {
  const OnnxValue& value = computed(1 - at);
  Layer& producer = network_.graph.nodes[static_cast<std::size_t>(value.node)].layer;
  bool* bias = nullptr;
  if (auto* conv = std::get_if<Conv2d>(&producer)) bias = &conv->bias;
  if (auto* linear = std::get_if<Linear>(&producer)) bias = &linear->bias;
  const std::string& name = node_->inputs[1 - at];
  if (!bias || *bias || readers(name) != 1 || made_as_[value.node] != name) {
    refuse("a constant added to what is no plain product, or is read elsewhere, too",
           "one behind Conv, Gemm or MatMul");
  }
  const std::int64_t channels = shape(value).c;
  std::vector<std::int64_t> dims = constant(at).dims, expected{channels};
  if (!value.is_flat) expected = {channels, 1, 1};
  while (dims.size() > expected.size() && dims.front() == 1) dims.erase(dims.begin());
  if (dims != expected) {
    refuse("a constant of " + list_text(constant(at).dims), list_text(expected));
  }
  *bias = true;
  set_parameter(value.node, "bias", {channels}, floats(at));
  define(value);
}

std::vector<float> OnnxNetwork::weights(std::size_t i) {
  parameters_ += constant(i).constant->bytes.size() / 2;  // the narrowest float has two bytes
  if (parameters_ > kMaxParameters) {
    throw Error(ErrorKind::kLimit, printable(path_, 400) + ": found more than " +
                                       std::to_string(kMaxParameters) + " weights of layers");
  }
  return floats(i);
}

void OnnxNetwork::set_parameter(NodeId id, const char* name, std::vector<std::int64_t> dims,
                                std::vector<float> values) {
  const std::string& node = network_.graph.nodes[static_cast<std::size_t>(id)].name;
  network_.weights[node + "." + name] = {std::move(dims), std::move(values)};
}

ImportedNetwork OnnxNetwork::finish() {
  Graph& graph = network_.graph;
  for (const std::string& name : model_.outputs) {
    const auto found = values_.find(name);
    if (found == values_.end() || found->second.node < 0) {
      fail("output '" + printable(name) + "': found no node that makes it, expected one");
    }
    const NodeId id = found->second.node;
    if (std::find(graph.outputs.begin(), graph.outputs.end(), id) != graph.outputs.end()) {
      fail("output '" + printable(name) + "': found it twice, expected each output once");
    }
    graph.outputs.push_back(id);
  }
  if (graph.outputs.empty()) fail("found no output, expected one");
  const auto readers = consumers(graph);
  for (std::size_t id = 0; id < readers.size(); ++id) {
    const bool is_output = std::find(graph.outputs.begin(), graph.outputs.end(),
                                     static_cast<NodeId>(id)) != graph.outputs.end();
    if (readers[id].empty() && !is_output) {
      fail("node '" + graph.nodes[id].name + "': found nothing that reads it, expected a reader");
    }
  }
  return std::move(network_);
}

}  // namespace bitpulse
