// SPDX-License-Identifier: Apache-2.0
#pragma once

// The network while it is being lowered: values as views of what layers produce, and layers whose
// stores are not known yet.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/workload.h"
#include "quant/lower.h"
#include "quant/lower/widths.h"

namespace bitpulse {

/// Channels of a value that one producer stores.
struct Part {
  std::int32_t producer = 0;  // a draft layer, or ~i for network input i
  Activation activation;
  std::int64_t reorg = 1;
  std::int64_t channel_offset = 0;
  friend bool operator==(const Part& a, const Part& b) {
    return a.producer == b.producer && a.activation == b.activation && a.reorg == b.reorg &&
           a.channel_offset == b.channel_offset;
  }
};

/// What a node computes, as stored: a flatten is undone, a slice is left to the reader.
struct Value {
  std::vector<Part> parts;  // several after a concat
  Shape shape;
  TensorOrigin origin;
  bool sole_reader = false;  // nobody but one node reads what its producer makes
  bool sliced = false;
  std::int64_t stride = 1;
  std::int64_t channels_before = 0;
};

struct DraftInput {
  NodeId node = -1;
  bool non_negative = false;
  NetworkInput input;
  std::vector<Activation> activations;  // by store
};

struct DraftLayer {
  IntegerLayer layer;
  LayerOrigin origin;
  Value input;
  std::optional<Value> identity;
  bool non_negative = false;  // its value, before any activation
  NodeId position = -1;       // execution order: the op, or the add that joined it

  bool is_gemm() const { return std::holds_alternative<GemmOp>(layer.op); }
};

struct Draft {
  std::vector<DraftInput> inputs;
  std::vector<DraftLayer> layers;  // in execution order after fuse()
  std::vector<Value> values;       // by node

  /// True where no code of the value can be negative.
  bool non_negative(const Value& value) const;
};

/// Makes the layers and values of a graph: who computes what, and in whose epilogue.
///
/// errors  kInvalidInput naming the node that no layer can take, and why
Draft fuse(const Workload& workload, const std::vector<NodeWidths>& widths);

struct DraftTensor {
  std::vector<Part> parts;
  StoredTensor tensor;
  TensorOrigin origin;
};

/// Decides the tensors between the layers and adds their stores, from the outputs back to the
/// inputs, so that the readers of a value are known when its producer is met.
///
/// returns tensors in order of creation; the ids in the draft index them
/// errors  kInvalidInput naming the node
std::vector<DraftTensor> assign_tensors(const Workload& workload,
                                        const std::vector<NodeWidths>& widths, Draft& draft,
                                        std::vector<NetworkOutput>& outputs);

[[noreturn]] void refuse(const Node& node, const std::string& why);

}  // namespace bitpulse
