// SPDX-License-Identifier: Apache-2.0
#pragma once

// One node of an ONNX file among the values that are known so far: its attributes and inputs,
// checked as they are taken. https://onnx.ai/onnx/operators says which operator has which.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "models/graph.h"
#include "models/io/onnx_file.h"

namespace bitpulse {

/// What a name of the file stands for: a node's output, or a constant.
struct OnnxValue {
  NodeId node = -1;                // -1: a constant
  bool is_flat = false;            // of a node: two dimensions, batch and channels
  std::vector<std::int64_t> dims;  // of a constant; a Reshape may have changed them
  std::shared_ptr<const SafeTensor> constant;
};

/// "[1, 2, 3]".
std::string list_text(const std::vector<std::int64_t>& values);

/// All accessors throw Error(kInvalidInput) with file, node, found and expected.
class OnnxScope {
 public:
  explicit OnnxScope(const std::string& path) : path_(path) {}

  [[noreturn]] void fail(const std::string& what) const;
  /// Fails at the node.
  [[noreturn]] void refuse(const std::string& found, const std::string& expected) const;

  const OnnxNode& node() const { return *node_; }
  /// The node's name, or its first output's where it has none.
  std::string title() const;

  const OnnxAttribute* attribute(std::string_view name) const;
  std::int64_t integer(std::string_view name, std::int64_t absent) const;
  double real(std::string_view name, double absent) const;
  void expect_integer(std::string_view name, std::int64_t expected) const;
  /// As many sizes of min..kMaxDim as `absent` has.
  std::vector<std::int64_t> sizes(std::string_view name, const std::vector<std::int64_t>& absent,
                                  std::int64_t min) const;
  /// Strides, dilations and pads over an input.
  Window window(const Shape& in, std::int64_t kernel_h, std::int64_t kernel_w) const;

  bool has_input(std::size_t i) const;
  const OnnxValue& input(std::size_t i) const;
  /// An input that earlier layers compute.
  const OnnxValue& computed(std::size_t i) const;
  /// A computed input of four dimensions.
  const OnnxValue& feature_map(std::size_t i) const;
  const OnnxValue& constant(std::size_t i) const;
  std::vector<float> floats(std::size_t i) const;
  /// One float for each of `count` channels.
  std::vector<float> channel_floats(std::size_t i, std::int64_t count) const;
  /// A constant list of up to eight integers.
  std::vector<std::int64_t> integers(std::size_t i) const;
  /// An attribute, or as in later opsets a constant input; empty where both are left out.
  std::vector<std::int64_t> integers(std::string_view name, std::size_t i) const;

 protected:
  const std::string& path_;
  const OnnxNode* node_ = nullptr;
  std::unordered_map<std::string, OnnxValue> values_;
};

}  // namespace bitpulse
