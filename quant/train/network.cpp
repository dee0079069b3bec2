// SPDX-License-Identifier: Apache-2.0
#include "quant/train/network.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "quant/float/parameters.h"
#include "quant/lower/widths.h"

namespace bitpulse {

namespace {

std::size_t index(NodeId id) { return static_cast<std::size_t>(id); }

/// Pads that torch's own operators cannot express are made beforehand.
struct Padding {
  at::Tensor input;
  std::vector<std::int64_t> rest;  // height, width: left to the operator
};

Padding pad(const at::Tensor& input, const Window& w, double value, bool is_pool) {
  const bool even = w.pad_top == w.pad_bottom && w.pad_left == w.pad_right;
  const bool small = !is_pool || (2 * w.pad_top <= w.kernel_h && 2 * w.pad_left <= w.kernel_w);
  if (even && small) return {input, {w.pad_top, w.pad_left}};
  return {at::constant_pad_nd(input, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom}, value),
          {0, 0}};
}

at::Tensor slice_pad(const at::Tensor& input, const SlicePad& slice) {
  constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
  return at::constant_pad_nd(input.slice(2, 0, kEnd, slice.stride).slice(3, 0, kEnd, slice.stride),
                             {0, 0, 0, 0, slice.channels_before, slice.channels_after});
}

at::Tensor reshape(const at::Tensor& input, const Shape& shape) {
  return input.reshape({-1, shape.c, shape.h, shape.w});
}

}  // namespace

at::Tensor to_tensor(const std::vector<float>& values, const std::vector<std::int64_t>& dims,
                     const at::Device& device) {
  // from_blob does not write through the pointer; the clone owns its memory.
  return at::from_blob(const_cast<float*>(values.data()), dims, at::kFloat).clone().to(device);
}

Tensor<float> to_values(const at::Tensor& tensor) {
  const at::Tensor host = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  const auto* data = host.data_ptr<float>();
  return {host.sizes().vec(), {data, data + host.numel()}};
}

/// One forward pass.
struct TorchNetwork::Pass {
  const TorchNetwork& network;
  bool training = false;
  QuantizerSet* quantizers = nullptr;
  std::vector<at::Tensor> values;  // by node

  const Node& node(std::size_t id) const { return network.graph_.nodes[id]; }

  /// What input `i` of a node reads: quantized before it is sliced or flattened.
  at::Tensor operand(std::size_t id, std::size_t i = 0) const {
    const NodeId source = node(id).inputs[i];
    if (!quantizers || !quantizers->quantizes(static_cast<NodeId>(id), i))
      return values[index(source)];
    return quantized(id, i, source);
  }

  at::Tensor quantized(std::size_t id, std::size_t i, NodeId source) const {
    const Node& read = node(index(source));
    if (const auto* slice = std::get_if<SlicePad>(&read.layer))
      return slice_pad(quantized(id, i, read.inputs[0]), *slice);
    if (std::holds_alternative<Flatten>(read.layer))
      return reshape(quantized(id, i, read.inputs[0]), read.shape);
    return quantizers->activation(static_cast<NodeId>(id), i, source, values[index(source)]);
  }

  const at::Tensor& tensor(std::size_t id, const char* part) const {
    return network.by_name_.at(node(id).name + "." + part);
  }
  at::Tensor weight(std::size_t id) const {
    const at::Tensor& value = tensor(id, "weight");
    return quantizers ? quantizers->weight(static_cast<NodeId>(id), value) : value;
  }
  bool folded() const { return quantizers && quantizers->folded(); }
  at::Tensor bias(std::size_t id) const {
    return has_bias(node(id).layer) && !folded() ? tensor(id, "bias") : at::Tensor();
  }

  at::Tensor compute(const Input&, std::size_t id) const { return values[id]; }
  at::Tensor compute(const Conv2d& conv, std::size_t id) const {
    const Window& w = conv.window;
    const Padding padded = pad(operand(id), w, 0, false);
    return at::conv2d(padded.input, weight(id), bias(id), {w.stride_h, w.stride_w}, padded.rest,
                      {w.dilation_h, w.dilation_w}, conv.groups);
  }
  at::Tensor compute(const Linear&, std::size_t id) const {
    return reshape(at::linear(operand(id).flatten(1), weight(id), bias(id)), node(id).shape);
  }
  at::Tensor compute(const Gemm&, std::size_t id) const {
    return at::conv2d(operand(id), weight(id).unsqueeze(2).unsqueeze(3));
  }
  at::Tensor compute(const BatchNorm& norm, std::size_t id) const {
    if (folded()) return operand(id);
    return at::batch_norm(operand(id), tensor(id, "weight"), tensor(id, "bias"),
                          tensor(id, "running_mean"), tensor(id, "running_var"), training,
                          network.norm_momentum, norm.eps, true);
  }
  at::Tensor compute(const Relu& relu, std::size_t id) const {
    if (training && quantizers && !relu.max &&
        network.is_rectified(static_cast<NodeId>(id), *quantizers))
      return operand(id);
    return relu.max ? at::clamp(operand(id), 0, *relu.max) : at::relu(operand(id));
  }
  at::Tensor compute(const LeakyRelu& leaky, std::size_t id) const {
    return at::leaky_relu(operand(id), leaky.slope);
  }
  at::Tensor compute(const MaxPool& layer, std::size_t id) const {
    const Window& w = layer.window;
    const Padding padded = pad(operand(id), w, -std::numeric_limits<double>::infinity(), true);
    const at::Tensor pooled =
        at::max_pool2d(padded.input, {w.kernel_h, w.kernel_w}, {w.stride_h, w.stride_w},
                       padded.rest, {w.dilation_h, w.dilation_w}, layer.ceil_mode);
    // Padding made beforehand may let ceil_mode begin one window more.
    return pooled.narrow(2, 0, node(id).shape.h).narrow(3, 0, node(id).shape.w);
  }
  at::Tensor compute(const AvgPool& layer, std::size_t id) const {
    const Window& w = layer.window;
    const Padding padded = pad(operand(id), w, 0, true);
    return at::avg_pool2d(padded.input, {w.kernel_h, w.kernel_w}, {w.stride_h, w.stride_w},
                          padded.rest, false, true);
  }
  at::Tensor compute(const GlobalAvgPool&, std::size_t id) const {
    return operand(id).mean({2, 3}, true);
  }
  at::Tensor compute(const Add&, std::size_t id) const { return operand(id, 0) + operand(id, 1); }
  at::Tensor compute(const Concat&, std::size_t id) const {
    std::vector<at::Tensor> inputs;
    for (std::size_t i = 0; i < node(id).inputs.size(); ++i) inputs.push_back(operand(id, i));
    return at::cat(inputs, 1);
  }
  at::Tensor compute(const Reorg& reorg, std::size_t id) const {
    const Shape& out = node(id).shape;
    const std::int64_t s = reorg.stride;
    const at::Tensor blocks = operand(id).reshape({-1, out.c / (s * s), out.h, s, out.w, s});
    return reshape(blocks.permute({0, 3, 5, 1, 2, 4}), out);
  }
  at::Tensor compute(const Flatten&, std::size_t id) const {
    return reshape(operand(id), node(id).shape);
  }
  at::Tensor compute(const SlicePad& slice, std::size_t id) const {
    return slice_pad(operand(id), slice);
  }
};

TorchNetwork::TorchNetwork(const Graph& graph, const Weights& weights, const at::Device& device)
    : graph_(graph), readers_(consumers(graph)), device_(device) {
  for (const Node& node : graph_.nodes) {
    if (std::holds_alternative<BatchNorm>(node.layer)) {
      for (const char* part : {"weight", "bias"}) add(weights, node, part, {node.shape.c}, true);
      for (const char* part : {"running_mean", "running_var"})
        add(weights, node, part, {node.shape.c}, false);
    } else if (weight_channels(node.layer) > 0) {
      add(weights, node, "weight", weight_dims(graph_, node), true);
      if (has_bias(node.layer)) add(weights, node, "bias", {node.shape.c}, true);
    }
  }
}

bool TorchNetwork::is_rectified(NodeId node, const QuantizerSet& quantizers) const {
  const auto rectifies = [&](NodeId reader) {
    const Node& r = graph_.nodes[index(reader)];
    if (std::holds_alternative<SlicePad>(r.layer) || std::holds_alternative<Flatten>(r.layer))
      return is_rectified(reader, quantizers);
    for (std::size_t i = 0; i < r.inputs.size(); ++i)
      if (r.inputs[i] == node && !quantizers.rectifies(reader, i)) return false;
    return true;
  };
  const bool is_output =
      std::find(graph_.outputs.begin(), graph_.outputs.end(), node) != graph_.outputs.end();
  const std::vector<NodeId>& readers = readers_[index(node)];
  return !is_output && std::all_of(readers.begin(), readers.end(), rectifies);
}

void TorchNetwork::add(const Weights& weights, const Node& node, const std::string& part,
                       const std::vector<std::int64_t>& dims, bool learned) {
  const std::string name = node.name + "." + part;
  at::Tensor value = to_tensor(parameter(weights, node, part, dims), dims, device_);
  value.set_requires_grad(learned);
  (learned ? parameters_ : buffers_).push_back({name, value});
  by_name_[name] = value;
}

Weights TorchNetwork::weights() const {
  Weights weights;
  for (const auto& [name, value] : by_name_) weights[name] = to_values(value);
  return weights;
}

at::Tensor TorchNetwork::forward(const at::Tensor& images, bool training,
                                 QuantizerSet* quantizers) {
  assert(graph_.inputs.size() == 1);
  Pass pass{*this, training, quantizers, std::vector<at::Tensor>(graph_.nodes.size())};
  pass.values[index(graph_.inputs[0])] = images;
  if (quantizers) quantizers->begin(training);
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    pass.values[id] = std::visit([&](const auto& layer) { return pass.compute(layer, id); },
                                 graph_.nodes[id].layer);
    if (pass.folded())
      pass.values[id] = quantizers->finish(static_cast<NodeId>(id), pass.values[id]);
    if (observer) observer(static_cast<NodeId>(id), pass.values[id]);
  }
  return pass.values[index(graph_.outputs[0])].flatten(1);
}

}  // namespace bitpulse
