// SPDX-License-Identifier: Apache-2.0
#pragma once

// An ONNX file as plain values (https://github.com/onnx/onnx, onnx.proto: field numbers and types;
// the encoding is protobuf's, https://protobuf.dev/programming-guides/encoding). Only the messages
// that describe a network are read, none of them nests in itself, and every count is bounded before
// anything of its size is made, so that a hostile file costs a few times its own size at most.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/io/safetensors.h"

namespace bitpulse {

/// The value of an attribute; the kinds that a network of layers does not need are left out.
struct OnnxAttribute {
  std::optional<double> real;
  std::optional<std::int64_t> integer;
  std::string text;
  std::vector<std::int64_t> integers;
  std::optional<SafeTensor> tensor;
};

struct OnnxNode {
  std::string name;  // may be empty
  std::string op;    // "Conv"
  std::string domain;
  std::vector<std::string> inputs;  // "" where an optional one is left out
  std::vector<std::string> outputs;
  std::map<std::string, OnnxAttribute, std::less<>> attributes;
};

struct OnnxInput {
  std::string name;
  std::vector<std::int64_t> dims;  // 0 where a dimension has no fixed size
};

struct OnnxModel {
  std::int64_t opset = 0;
  std::vector<OnnxNode> nodes;  // in the file's order
  std::map<std::string, SafeTensor> constants;
  std::vector<OnnxInput> inputs;  // constants among them where the file lists them
  std::vector<std::string> outputs;
};

/// errors  kIo, kLimit, kInvalidInput: file, byte or tensor, found, expected; tensors outside the
///         file are refused
OnnxModel read_onnx_file(const std::string& path);

}  // namespace bitpulse
