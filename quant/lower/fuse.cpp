// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>
#include <variant>

#include "models/error.h"
#include "quant/float/normalization.h"
#include "quant/lower/draft.h"

namespace bitpulse {

void refuse(const Node& node, const std::string& why) {
  throw Error(ErrorKind::kInvalidInput,
              "node '" + node.name + "' (" + kind_name(node.layer) + "): " + why);
}

bool Draft::non_negative(const Value& value) const {
  return std::all_of(value.parts.begin(), value.parts.end(), [this](const Part& part) {
    return part.activation.non_negative() ||
           (part.producer < 0 ? inputs[static_cast<std::size_t>(~part.producer)].non_negative
                              : layers[static_cast<std::size_t>(part.producer)].non_negative);
  });
}

namespace {

/// Visits the nodes in order and grows the draft.
class Fuser {
 public:
  Fuser(const Workload& workload, const std::vector<NodeWidths>& widths)
      : workload_(workload), graph_(workload.graph), widths_(widths) {}

  Draft run() {
    count_readers();
    draft_.values.resize(graph_.nodes.size());
    draft_.layers.reserve(graph_.nodes.size());
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      id_ = static_cast<NodeId>(i);
      std::visit([this](const auto& layer) { draft_.values[index(id_)] = lower(layer); },
                 node().layer);
    }
    order_layers();
    return std::move(draft_);
  }

 private:
  static std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }
  const Node& node() const { return graph_.nodes[index(id_)]; }
  const Node& input_node(std::size_t i) const { return graph_.nodes[index(node().inputs[i])]; }
  const Value& operand(std::size_t i) const { return draft_.values[index(node().inputs[i])]; }
  bool read_once() const { return readers_[index(id_)] == 1; }

  void count_readers() {
    readers_.assign(graph_.nodes.size(), 0);
    for (const Node& n : graph_.nodes)
      for (const NodeId input : n.inputs) ++readers_[index(input)];
    for (const NodeId output : graph_.outputs) ++readers_[index(output)];
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
      if (readers_[i] == 0 && !std::holds_alternative<Input>(graph_.nodes[i].layer))
        refuse(graph_.nodes[i], "nothing reads it and it is no output of the network");
  }

  /// The operand as a tensor that a layer can read pixel by pixel.
  const Value& feature_map(std::size_t i = 0) const {
    const Value& value = operand(i);
    if (value.sliced)
      refuse(node(), "reads the slice '" + input_node(i).name + "'; only an add can");
    if (value.shape != input_node(i).shape)
      refuse(node(), "reads the flattened '" + input_node(i).name + "'; only a linear layer can");
    return value;
  }

  Value add_layer(DraftLayer draft) {
    draft.layer.name = node().name;
    draft.layer.kind = kind_name(node().layer);
    draft.layer.in = draft.input.shape;
    draft.layer.out = node().shape;
    draft.origin.op = draft.position = id_;
    draft_.layers.push_back(std::move(draft));
    return layer_value(draft_.layers.size() - 1);
  }

  Value layer_value(std::size_t layer) const {
    Value value;
    value.parts.push_back({static_cast<std::int32_t>(layer), {}, 1, 0});
    value.shape = node().shape;
    value.origin.node = id_;
    value.sole_reader = read_once();
    return value;
  }

  /// The operand's value under another name.
  Value same_value(std::size_t i = 0) const {
    Value value = operand(i);
    value.sole_reader = value.sole_reader && read_once();
    return value;
  }

  Value add_gemm(const Value& input, const Window& window, std::int64_t groups) {
    DraftLayer draft;
    GemmOp op;
    op.window = window;
    op.groups = groups;
    op.weight_bits.reserve(static_cast<std::size_t>(node().shape.c));
    for (const WidthRun& run : widths_[index(id_)].weights)
      op.weight_bits.insert(op.weight_bits.end(), static_cast<std::size_t>(run.channels), run.bits);
    draft.layer.op = std::move(op);
    draft.input = input;
    return add_layer(std::move(draft));
  }

  Value add_pool(const Window& window, bool is_max) {
    DraftLayer draft;
    draft.input = feature_map();
    draft.non_negative = draft_.non_negative(draft.input);
    PoolOp op;
    op.window = window;
    op.is_max = is_max;
    op.floor_average = !is_max && workload_.quantization.average_pool_floor;
    draft.layer.op = op;
    return add_layer(std::move(draft));
  }

  Value activate(const Activation& activation) const {
    Value value = same_value();
    for (Part& part : value.parts) part.activation = part.activation.then(activation);
    value.origin.node = id_;
    return value;
  }

  /// The GEMM layer that alone makes `value`, untouched; -1 if there is none.
  std::int32_t open_gemm(const Value& value) const {
    if (value.parts.size() != 1 || !value.sole_reader || value.sliced) return -1;
    const Part& part = value.parts[0];
    if (part.producer < 0 || !(part.activation == Activation{}) || part.reorg != 1) return -1;
    const DraftLayer& layer = draft_.layers[index(part.producer)];
    return layer.is_gemm() && layer.origin.add < 0 ? part.producer : -1;
  }

  Value lower(const Input&) {
    DraftInput input;
    input.node = id_;
    input.input.name = node().name;
    input.input.shape = node().shape;
    input.non_negative = !can_be_negative(workload_.data, node().shape.c);
    draft_.inputs.push_back(std::move(input));
    Value value = layer_value(0);
    value.parts[0].producer = ~static_cast<std::int32_t>(draft_.inputs.size() - 1);
    return value;
  }

  Value lower(const Conv2d& conv) { return add_gemm(feature_map(), conv.window, conv.groups); }

  Value lower(const Linear&) {
    const Value& input = operand(0);
    if (input.sliced)
      refuse(node(), "reads the slice '" + input_node(0).name + "'; only an add can");
    Window window;
    window.kernel_h = input.shape.h;
    window.kernel_w = input.shape.w;
    return add_gemm(input, window, 1);
  }

  Value lower(const Gemm&) { return add_gemm(feature_map(), Window{}, 1); }

  Value lower(const BatchNorm&) {
    const std::int32_t gemm = open_gemm(feature_map());
    if (gemm < 0)
      refuse(node(), "follows '" + input_node(0).name +
                         "'; it can be folded only into a convolution, linear or gemm layer "
                         "that nothing else reads");
    draft_.layers[index(gemm)].origin.norms.push_back(id_);
    return layer_value(index(gemm));
  }

  Value lower(const Relu& relu) {
    if (relu.max && !(*relu.max > 0)) refuse(node(), "its maximum is not positive");
    Activation activation{0};
    if (relu.max) activation.max = *relu.max;
    return activate(activation);
  }

  Value lower(const LeakyRelu& leaky) {
    if (!(leaky.slope >= 0) || !std::isfinite(leaky.slope))
      refuse(node(), "its slope is negative or not finite");
    return activate({leaky.slope});
  }

  Value lower(const MaxPool& pool) { return add_pool(pool.window, true); }
  Value lower(const AvgPool& pool) { return add_pool(pool.window, false); }
  Value lower(const GlobalAvgPool&) {
    Window window;
    window.kernel_h = input_node(0).shape.h;
    window.kernel_w = input_node(0).shape.w;
    return add_pool(window, false);
  }

  Value lower(const Add&) {
    const Shape shapes[2] = {stored_shape(0), stored_shape(1)};
    if (shapes[0] != shapes[1])
      refuse(node(), "adds a flattened value to one that was flattened from another shape");
    const std::int32_t gemms[2] = {open_gemm(operand(0)), open_gemm(operand(1))};
    Value sum;
    if (gemms[0] >= 0 || gemms[1] >= 0) {
      const std::size_t main = gemms[0] > gemms[1] ? 0 : 1;
      DraftLayer& layer = draft_.layers[index(gemms[main])];
      join(layer, main);
      layer.position = id_;
      sum = layer_value(index(gemms[main]));
    } else {
      const std::size_t main = operand(0).sliced ? 1 : 0;
      if (operand(main).sliced) refuse(node(), "both of its inputs are slices");
      DraftLayer layer;
      layer.layer.op = ElementwiseOp{};
      layer.input = operand(main);
      join(layer, main);
      sum = add_layer(std::move(layer));
      draft_.layers.back().layer.out = shapes[0];
    }
    sum.shape = shapes[0];
    return sum;
  }

  /// Of an operand after its slice and before its flatten.
  Shape stored_shape(std::size_t i) const {
    return operand(i).sliced ? input_node(i).shape : operand(i).shape;
  }

  void join(DraftLayer& layer, std::size_t main) const {
    layer.identity = operand(1 - main);
    layer.origin.add = id_;
    layer.origin.main = operand(main).origin.node;
    layer.origin.identity = operand(1 - main).origin.node;
    layer.non_negative = draft_.non_negative(operand(0)) && draft_.non_negative(operand(1));
  }

  Value lower(const Concat&) {
    Value value;
    value.shape = node().shape;
    value.origin.node = id_;
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < node().inputs.size(); ++i) {
      for (Part part : feature_map(i).parts) {
        part.channel_offset += offset;
        value.parts.push_back(part);
      }
      offset += operand(i).shape.c;
    }
    return value;
  }

  Value lower(const Reorg& reorg) {
    Value value = feature_map();
    if (value.parts.size() != 1 || value.parts[0].reorg != 1 || value.parts[0].channel_offset != 0)
      refuse(node(), "reorders '" + input_node(0).name +
                         "', which is itself a concat or a reorg; no store can address that");
    value.parts[0].reorg = reorg.stride;
    value.shape = node().shape;
    value.origin.node = id_;
    value.sole_reader = false;
    return value;
  }

  Value lower(const Flatten&) {
    if (operand(0).sliced)
      refuse(node(), "reads the slice '" + input_node(0).name + "'; only an add can");
    return same_value();
  }

  Value lower(const SlicePad& slice) {
    if (!operand(0).sliced) feature_map();
    Value value = same_value();
    if (slice.stride == 1 && slice.channels_before == 0 && slice.channels_after == 0) return value;
    value.sliced = true;
    value.stride *= slice.stride;
    value.channels_before += slice.channels_before;
    value.sole_reader = false;
    return value;
  }

  void order_layers() {
    std::vector<DraftLayer>& layers = draft_.layers;
    std::vector<std::size_t> order(layers.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&layers](std::size_t a, std::size_t b) {
      return layers[a].position < layers[b].position;
    });
    std::vector<std::int32_t> place(layers.size());
    std::vector<DraftLayer> sorted;
    sorted.reserve(layers.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      place[order[i]] = static_cast<std::int32_t>(i);
      sorted.push_back(std::move(layers[order[i]]));
    }
    layers = std::move(sorted);
    const auto move = [&place](Value& value) {
      for (Part& part : value.parts)
        if (part.producer >= 0) part.producer = place[index(part.producer)];
    };
    for (Value& value : draft_.values) move(value);
    for (DraftLayer& layer : layers) {
      move(layer.input);
      if (layer.identity) move(*layer.identity);
    }
  }

  const Workload& workload_;
  const Graph& graph_;
  const std::vector<NodeWidths>& widths_;
  std::vector<int> readers_;
  Draft draft_;
  NodeId id_ = 0;
};

}  // namespace

Draft fuse(const Workload& workload, const std::vector<NodeWidths>& widths) {
  return Fuser(workload, widths).run();
}

}  // namespace bitpulse
