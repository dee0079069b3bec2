// SPDX-License-Identifier: Apache-2.0
#include "models/io/onnx_file.h"

#include <utility>

#include "models/error.h"
#include "models/graph.h"
#include "models/io/files.h"
#include "models/io/protobuf.h"
#include "models/text.h"

namespace bitpulse {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;
constexpr std::size_t kMaxListed = 256;         // inputs, outputs, attributes, integers of a node
constexpr std::size_t kMaxTensors = 1 << 16;    // constants of the file
constexpr std::int64_t kMaxIntegers = 1 << 20;  // of a tensor written integer by integer

/// Counts one more entry of a list.
template <class List>
void check_count(const ProtobufSource& source, const List& list, std::size_t most,
                 const char* what) {
  if (list.size() >= most) source.limit(what, most);
}

/// TensorProto.DataType of the tensors that are read, by their names in safetensors.
struct DataType {
  std::int64_t number;
  const char* name;
  std::size_t bytes;
};
constexpr DataType kTypes[] = {{1, "F32", 4},  {6, "I32", 4},  {7, "I64", 8},
                               {10, "F16", 2}, {11, "F64", 8}, {16, "BF16", 2}};

/// A tensor with its name.
std::pair<std::string, SafeTensor> read_tensor(const ProtobufSource& source,
                                               ProtobufMessage message) {
  std::string name;
  SafeTensor tensor;
  std::int64_t type = 0;
  std::vector<std::int64_t> integers;
  bool outside = false;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        message.append_to(tensor.dims, 9);
        break;
      case 2:
        type = message.integer();
        break;
      case 4:   // float_data
      case 9:   // raw_data
      case 10:  // double_data
        message.append_to(tensor.bytes);
        break;
      case 5:  // int32_data, which holds 16-bit floats, too
      case 7:  // int64_data
        message.append_to(integers, kMaxIntegers);
        break;
      case 8:
        name = message.text();
        break;
      case 13:
      case 14:
        outside = outside || message.field() == 13 || message.integer() != 0;
        break;
      default:
        break;
    }
  }
  const std::string place = "tensor '" + printable(name) + "': ";
  if (outside) source.fail(place + "found data outside the file, expected it inside");
  const DataType* known = nullptr;
  for (const DataType& entry : kTypes) {
    if (entry.number == type) known = &entry;
  }
  if (!known) {
    source.fail(place + "found data type " + std::to_string(type) +
                ", expected float, float16, bfloat16, double, int32 or int64");
  }
  tensor.dtype = known->name;
  for (const std::int64_t value : integers) {  // little-endian, as raw data is
    for (std::size_t byte = 0; byte < known->bytes; ++byte) {
      tensor.bytes.push_back(static_cast<std::uint8_t>(value >> (8 * byte)));
    }
  }
  std::int64_t elements = 1;
  for (const std::int64_t size : tensor.dims) {
    if (size < 0 || size > kMaxDim || elements > kMaxElements / (size == 0 ? 1 : size)) {
      source.fail(place + "found dimension " + std::to_string(size) + ", expected 0.." +
                  std::to_string(kMaxDim) + " and at most " + std::to_string(kMaxElements) +
                  " elements");
    }
    elements *= size;
  }
  if (tensor.bytes.size() != static_cast<std::size_t>(elements) * known->bytes) {
    source.fail(place + "found " + std::to_string(tensor.bytes.size()) + " bytes, expected " +
                std::to_string(static_cast<std::size_t>(elements) * known->bytes));
  }
  return {std::move(name), std::move(tensor)};
}

std::pair<std::string, OnnxAttribute> read_attribute(const ProtobufSource& source,
                                                     ProtobufMessage message) {
  std::string name;
  OnnxAttribute attribute;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        name = message.text();
        break;
      case 2:
        attribute.real = message.real();
        break;
      case 3:
        attribute.integer = message.integer();
        break;
      case 4:
        attribute.text = message.text();
        break;
      case 5:
        attribute.tensor = read_tensor(source, message.message()).second;
        break;
      case 8:
        message.append_to(attribute.integers, kMaxListed);
        break;
      default:
        break;
    }
  }
  return {std::move(name), std::move(attribute)};
}

OnnxNode read_node(const ProtobufSource& source, ProtobufMessage message) {
  OnnxNode node;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        check_count(source, node.inputs, kMaxListed, "inputs of a node");
        node.inputs.push_back(message.text());
        break;
      case 2:
        check_count(source, node.outputs, kMaxListed, "outputs of a node");
        node.outputs.push_back(message.text());
        break;
      case 3:
        node.name = message.text();
        break;
      case 4:
        node.op = message.text();
        break;
      case 5:
        check_count(source, node.attributes, kMaxListed, "attributes of a node");
        node.attributes.insert(read_attribute(source, message.message()));
        break;
      case 7:
        node.domain = message.text();
        break;
      default:
        break;
    }
  }
  return node;
}

/// dim_value of each dimension of a ValueInfoProto's tensor type.
OnnxInput read_value_info(const ProtobufSource& source, ProtobufMessage message) {
  OnnxInput input;
  while (message.next()) {
    if (message.field() == 1) input.name = message.text();
    if (message.field() != 2) continue;
    for (ProtobufMessage type = message.message(); type.next();) {
      if (type.field() != 1) continue;
      for (ProtobufMessage tensor = type.message(); tensor.next();) {
        if (tensor.field() != 2) continue;
        for (ProtobufMessage shape = tensor.message(); shape.next();) {
          if (shape.field() != 1) continue;
          check_count(source, input.dims, 9, "dimensions of an input");
          input.dims.push_back(0);
          for (ProtobufMessage dim = shape.message(); dim.next();) {
            if (dim.field() == 1) input.dims.back() = dim.integer();
          }
        }
      }
    }
  }
  return input;
}

void read_graph(const ProtobufSource& source, ProtobufMessage message, OnnxModel& model) {
  while (message.next()) {
    switch (message.field()) {
      case 1:
        check_count(source, model.nodes, kMaxNodes, "nodes");
        model.nodes.push_back(read_node(source, message.message()));
        break;
      case 5: {
        check_count(source, model.constants, kMaxTensors, "initializers");
        auto [name, tensor] = read_tensor(source, message.message());
        if (!model.constants.emplace(name, std::move(tensor)).second) {
          source.fail("found two initializers '" + printable(name) + "', expected one");
        }
        break;
      }
      case 11:
        check_count(source, model.inputs, kMaxTensors, "inputs");
        model.inputs.push_back(read_value_info(source, message.message()));
        break;
      case 12:
        check_count(source, model.outputs, kMaxListed, "outputs");
        model.outputs.push_back(read_value_info(source, message.message()).name);
        break;
      case 15:
        source.fail("found a sparse initializer, expected dense ones");
      default:
        break;
    }
  }
}

}  // namespace

OnnxModel read_onnx_file(const std::string& path) {
  const std::string content = read_file(path, kMaxFileBytes);
  const ProtobufSource source{path, content};
  OnnxModel model;
  bool has_graph = false;
  for (ProtobufMessage message(source, content); message.next();) {
    if (message.field() == 7) {
      if (has_graph) source.fail("found two graphs, expected one");
      has_graph = true;
      read_graph(source, message.message(), model);
    } else if (message.field() == 8) {
      std::string domain;
      std::int64_t version = 0;
      for (ProtobufMessage opset = message.message(); opset.next();) {
        if (opset.field() == 1) domain = opset.text();
        if (opset.field() == 2) version = opset.integer();
      }
      if (domain.empty() || domain == "ai.onnx") model.opset = version;
    }
  }
  if (!has_graph) source.fail("found no graph, expected an ONNX model");
  return model;
}

}  // namespace bitpulse
