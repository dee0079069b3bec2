// SPDX-License-Identifier: Apache-2.0
#include "quant/float/float_executor.h"

#include <cassert>
#include <optional>
#include <utility>

#include "models/error.h"
#include "quant/float/convolution.h"
#include "quant/float/operations.h"
#include "quant/float/parameters.h"

namespace bitpulse {

struct FloatExecutor::Impl {
  Graph graph;
  int threads = 1;
  std::vector<std::optional<Convolution>> convolutions;  // by node
  std::vector<ChannelAffine> norms;                      // by node
  std::vector<int> readers;                              // by node, outputs included

  static std::size_t index(NodeId id) { return static_cast<std::size_t>(id); }

  /// State of one forward pass.
  struct Pass {
    std::vector<FloatBatch> values;  // by node; empty once dead
    std::vector<int> readers_left;
    Weights* measured = nullptr;                      // batch norms take their statistics here
    std::vector<std::optional<FloatBatch>> filtered;  // operands of the node being computed
  };

  void prepare(const Weights& weights, bool with_statistics) {
    convolutions.resize(graph.nodes.size());
    norms.resize(graph.nodes.size());
    readers.assign(graph.nodes.size(), 0);
    for (const NodeId id : graph.outputs) ++readers[index(id)];
    for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
      const Node& node = graph.nodes[id];
      for (const NodeId input : node.inputs) ++readers[index(input)];
      if (std::holds_alternative<BatchNorm>(node.layer)) {
        if (with_statistics) norms[id] = batch_norm_affine(weights, node);
      } else {
        prepare_gemm(weights, node, convolutions[id]);
      }
    }
  }

  void prepare_gemm(const Weights& weights, const Node& node, std::optional<Convolution>& made) {
    Shape in, out = node.shape;
    Window window;
    std::int64_t groups = 1;
    if (const auto* conv = std::get_if<Conv2d>(&node.layer)) {
      in = graph.nodes[index(node.inputs[0])].shape;
      window = conv->window;
      groups = conv->groups;
    } else if (std::holds_alternative<Linear>(node.layer)) {
      in = {graph.nodes[index(node.inputs[0])].shape.elements(), 1, 1};
    } else if (std::holds_alternative<Gemm>(node.layer)) {
      in = graph.nodes[index(node.inputs[0])].shape;
    } else {
      return;
    }
    const auto& values = parameter(weights, node, "weight", weight_dims(graph, node));
    const float* bias =
        has_bias(node.layer) ? parameter(weights, node, "bias", {out.c}).data() : nullptr;
    made.emplace(in, out, window, groups, values.data(), bias);
  }

  std::vector<FloatBatch> run(const std::vector<FloatBatch>& inputs, const NodeObserver& observer,
                              const OperandFilter& filter, Weights* measured) {
    check_inputs(inputs);
    Pass pass{std::vector<FloatBatch>(graph.nodes.size()), readers, measured, {}};
    for (std::size_t i = 0; i < inputs.size(); ++i) pass.values[index(graph.inputs[i])] = inputs[i];
    for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
      const Node& node = graph.nodes[id];
      pass.filtered.clear();
      for (std::size_t i = 0; filter && i < node.inputs.size(); ++i)
        pass.filtered.push_back(
            filter(static_cast<NodeId>(id), i, pass.values[index(node.inputs[i])]));
      if (!std::holds_alternative<Input>(node.layer))
        pass.values[id] =
            std::visit([&](const auto& layer) { return compute(layer, id, pass); }, node.layer);
      if (observer) observer(static_cast<NodeId>(id), pass.values[id]);
      for (const NodeId input : node.inputs) release(input, pass);
    }
    std::vector<FloatBatch> outputs;
    for (const NodeId id : graph.outputs) outputs.push_back(pass.values[index(id)]);
    return outputs;
  }

  void check_inputs(const std::vector<FloatBatch>& inputs) const {
    assert(inputs.size() == graph.inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Node& node = graph.nodes[index(graph.inputs[i])];
      if (inputs[i].shape != node.shape || inputs[i].batch != inputs[0].batch)
        throw Error(ErrorKind::kInvalidInput,
                    "float input '" + node.name + "': its batch or shape does not fit");
    }
  }

  static void release(NodeId id, Pass& pass) {
    if (--pass.readers_left[index(id)] == 0) pass.values[index(id)] = {};
  }

  const FloatBatch& operand(std::size_t id, const Pass& pass, std::size_t i = 0) const {
    if (i < pass.filtered.size() && pass.filtered[i]) return *pass.filtered[i];
    return pass.values[index(graph.nodes[id].inputs[i])];
  }

  FloatBatch convolve(std::size_t id, const Pass& pass) {
    const FloatBatch& in = operand(id, pass);
    const Shape& shape = graph.nodes[id].shape;
    FloatBatch out{in.batch, shape, {}};
    out.data.resize(static_cast<std::size_t>(in.batch * shape.elements()));
    convolutions[id]->run(in.data.data(), out.data.data(), in.batch, threads);
    return out;
  }

  FloatBatch compute(const Input&, std::size_t, Pass&) { return {}; }
  FloatBatch compute(const Conv2d&, std::size_t id, Pass& pass) { return convolve(id, pass); }
  FloatBatch compute(const Linear&, std::size_t id, Pass& pass) { return convolve(id, pass); }
  FloatBatch compute(const Gemm&, std::size_t id, Pass& pass) { return convolve(id, pass); }

  FloatBatch compute(const BatchNorm&, std::size_t id, Pass& pass) {
    const FloatBatch& in = operand(id, pass);
    if (pass.measured) measure(id, in, *pass.measured);
    const ChannelAffine& norm = norms[id];
    return scale_channels(in, {norm.scale.begin(), norm.scale.end()},
                          {norm.shift.begin(), norm.shift.end()}, threads);
  }

  void measure(std::size_t id, const FloatBatch& in, Weights& weights) {
    const Node& node = graph.nodes[id];
    const ChannelStatistics statistics = channel_statistics(in, threads);
    weights[node.name + ".running_mean"] = {{in.shape.c},
                                            {statistics.mean.begin(), statistics.mean.end()}};
    weights[node.name + ".running_var"] = {
        {in.shape.c}, {statistics.variance.begin(), statistics.variance.end()}};
    norms[id] = batch_norm_affine(weights, node);
  }

  FloatBatch compute(const Relu& relu, std::size_t id, Pass& pass) {
    Activation activation{0};
    if (relu.max) activation.max = *relu.max;
    return activate(operand(id, pass), activation, threads);
  }
  FloatBatch compute(const LeakyRelu& leaky, std::size_t id, Pass& pass) {
    return activate(operand(id, pass), {leaky.slope}, threads);
  }
  FloatBatch compute(const MaxPool& layer, std::size_t id, Pass& pass) {
    return max_pool(operand(id, pass), layer.window, graph.nodes[id].shape, threads);
  }
  FloatBatch compute(const AvgPool& layer, std::size_t id, Pass& pass) {
    return average_pool(operand(id, pass), layer.window, graph.nodes[id].shape, threads);
  }
  FloatBatch compute(const GlobalAvgPool&, std::size_t id, Pass& pass) {
    const FloatBatch& in = operand(id, pass);
    Window window;
    window.kernel_h = in.shape.h;
    window.kernel_w = in.shape.w;
    return average_pool(in, window, graph.nodes[id].shape, threads);
  }
  FloatBatch compute(const Add&, std::size_t id, Pass& pass) {
    return add(operand(id, pass, 0), operand(id, pass, 1));
  }
  FloatBatch compute(const Concat&, std::size_t id, Pass& pass) {
    std::vector<const FloatBatch*> inputs;
    for (std::size_t i = 0; i < graph.nodes[id].inputs.size(); ++i)
      inputs.push_back(&operand(id, pass, i));
    return concatenate(inputs, graph.nodes[id].shape);
  }
  FloatBatch compute(const Reorg& layer, std::size_t id, Pass& pass) {
    return reorg(operand(id, pass), layer.stride, graph.nodes[id].shape);
  }
  FloatBatch compute(const Flatten&, std::size_t id, Pass& pass) {
    const FloatBatch& in = operand(id, pass);
    return {in.batch, graph.nodes[id].shape, in.data};
  }
  FloatBatch compute(const SlicePad& layer, std::size_t id, Pass& pass) {
    return slice_pad(operand(id, pass), layer, graph.nodes[id].shape);
  }
};

FloatExecutor::FloatExecutor(const Graph& graph, const Weights& weights, int threads)
    : impl_(std::make_unique<Impl>()) {
  impl_->graph = graph;
  impl_->threads = threads;
  impl_->prepare(weights, true);
}

FloatExecutor::~FloatExecutor() = default;

std::vector<FloatBatch> FloatExecutor::run(const std::vector<FloatBatch>& inputs,
                                           const NodeObserver& observer,
                                           const OperandFilter& filter) {
  return impl_->run(inputs, observer, filter, nullptr);
}

void measure_batch_norms(const Graph& graph, Weights& weights,
                         const std::vector<FloatBatch>& inputs, int threads) {
  FloatExecutor::Impl pass;
  pass.graph = graph;
  pass.threads = threads;
  pass.prepare(weights, false);
  pass.run(inputs, {}, {}, &weights);
}

}  // namespace bitpulse
