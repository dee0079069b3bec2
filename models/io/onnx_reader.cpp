// SPDX-License-Identifier: Apache-2.0
#include "models/io/onnx_reader.h"

#include <algorithm>
#include <utility>

#include "models/io/onnx_network.h"
#include "models/text.h"

namespace bitpulse {
namespace {

/// One member per operator, for the node at hand.
class Importer : private OnnxNetwork {
 public:
  explicit Importer(const std::string& path) : OnnxNetwork(path) {}

  ImportedNetwork run() {
    for (const OnnxNode& node : model().nodes) {
      go_to(node);
      convert();
    }
    return finish();
  }

 private:
  struct Operator {
    const char* name;
    void (Importer::*convert)();
  };

  void conv() {
    const OnnxValue& in = computed(0);
    const std::vector<std::int64_t>& dims = constant(1).dims;
    if (in.is_flat || dims.size() != 4)
      refuse("weights " + list_text(dims), "[out, in, height, width]");
    if (sizes("kernel_shape", {dims[2], dims[3]}, 1) != std::vector{dims[2], dims[3]}) {
      refuse("another kernel_shape", "that of the weights, " + list_text(dims));
    }
    Conv2d layer;
    layer.out_channels = dims[0];
    layer.window = window(shape(in), dims[2], dims[3]);
    layer.groups = integer("group", 1);
    layer.bias = has_input(2);
    const std::int64_t channels = shape(in).c;
    if (layer.groups < 1 || channels % layer.groups != 0 || channels / layer.groups != dims[1]) {
      refuse("weights " + list_text(dims) + " for " + std::to_string(channels) + " channels in " +
                 std::to_string(layer.groups) + " groups",
             "as many input channels");
    }
    std::vector<float> values = weights(1), bias;
    if (layer.bias) bias = channel_floats(2, dims[0]);
    const NodeId id = become(layer, {&in}, false);
    set_parameter(id, "weight", dims, std::move(values));
    if (has_input(2)) set_parameter(id, "bias", {dims[0]}, std::move(bias));
  }

  /// y = x * W, W given as [K, N] or transposed as [N, K].
  void linear(bool transposed, bool has_bias) {
    const OnnxValue& in = computed(0);
    std::vector<std::int64_t> dims = constant(1).dims;
    if (!in.is_flat || dims.size() != 2) {
      refuse("weights " + list_text(dims) + (in.is_flat ? "" : " for a feature map"),
             "a matrix, for an input of two dimensions");
    }
    std::vector<float> values = weights(1);
    if (!transposed) {
      std::swap(dims[0], dims[1]);
      std::vector<float> turned(values.size());
      const auto n = static_cast<std::size_t>(dims[0]), k = static_cast<std::size_t>(dims[1]);
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < k; ++j) turned[i * k + j] = values[j * n + i];
      values = std::move(turned);
    }
    if (dims[1] != shape(in).elements()) {
      refuse("weights for " + std::to_string(dims[1]) + " values",
             std::to_string(shape(in).elements()));
    }
    std::vector<float> bias;
    if (has_bias) bias = channel_floats(2, dims[0]);
    const NodeId id = become(Linear{dims[0], has_bias}, {&in}, true);
    set_parameter(id, "weight", dims, std::move(values));
    if (has_bias) set_parameter(id, "bias", {dims[0]}, std::move(bias));
  }
  void gemm() {
    expect_integer("transA", 0);
    for (const char* factor : {"alpha", "beta"}) {
      if (real(factor, 1) != 1) refuse(std::string(factor) + " other than 1", "1");
    }
    linear(integer("transB", 0) != 0, has_input(2));
  }
  void mat_mul() { linear(false, false); }

  void batch_norm() {
    const OnnxValue& in = computed(0);
    expect_integer("training_mode", 0);
    const double eps = real("epsilon", 1e-5);
    const std::int64_t channels = shape(in).c;
    constexpr const char* kNames[] = {"weight", "bias", "running_mean", "running_var"};
    std::vector<std::vector<float>> values;
    for (std::size_t i = 0; i < 4; ++i) values.push_back(channel_floats(i + 1, channels));
    const NodeId id = become(BatchNorm{eps}, {&in}, in.is_flat);
    for (std::size_t i = 0; i < 4; ++i)
      set_parameter(id, kNames[i], {channels}, std::move(values[i]));
  }

  void activate(const Layer& layer) {
    const OnnxValue& in = computed(0);
    become(layer, {&in}, in.is_flat);
  }
  void relu() { activate(Relu{}); }
  void leaky_relu() { activate(LeakyRelu{real("alpha", 0.01)}); }
  void clip() {
    const auto bound = [this](const char* name, std::size_t i, double absent) {
      return has_input(i) ? static_cast<double>(channel_floats(i, 1)[0]) : real(name, absent);
    };
    const double min = bound("min", 1, -1), max = bound("max", 2, 0);
    if (min != 0 || !(max > 0)) {
      refuse("a range of " + std::to_string(min) + " to " + std::to_string(max),
             "0 to a positive number");
    }
    activate(Relu{max});
  }

  void max_pool() {
    const OnnxValue& in = feature_map(0);
    MaxPool layer;
    const auto kernel = sizes("kernel_shape", {1, 1}, 1);
    layer.window = window(shape(in), kernel[0], kernel[1]);
    layer.ceil_mode = integer("ceil_mode", 0) != 0;
    become(layer, {&in}, false);
  }
  void average_pool() {
    const OnnxValue& in = feature_map(0);
    expect_integer("ceil_mode", 0);
    const auto kernel = sizes("kernel_shape", {1, 1}, 1);
    const Window w = window(shape(in), kernel[0], kernel[1]);
    const bool padded = w.pad_top + w.pad_bottom + w.pad_left + w.pad_right > 0;
    if (padded && integer("count_include_pad", 0) == 0) {
      refuse("an average that leaves its padding out", "count_include_pad 1, or no padding");
    }
    become(AvgPool{w}, {&in}, false);
  }
  void global_average() { become(GlobalAvgPool{}, {&feature_map(0)}, false); }
  void reduce_mean() {
    const OnnxValue& in = feature_map(0);
    std::vector<std::int64_t> axes = integers("axes", 1);
    for (std::int64_t& axis : axes) axis += axis < 0 ? 4 : 0;
    std::sort(axes.begin(), axes.end());
    if (axes != std::vector<std::int64_t>{2, 3}) refuse("axes " + list_text(axes), "[2, 3]");
    become(GlobalAvgPool{}, {&in}, integer("keepdims", 1) == 0);
  }
  void space_to_depth() { become(Reorg{integer("blocksize", 0)}, {&feature_map(0)}, false); }

  /// Two values, or a value and the bias of the layer that makes it.
  void sum() {
    const OnnxValue &a = input(0), &b = input(1);
    if (a.node >= 0 && b.node >= 0) {
      if (a.is_flat != b.is_flat) refuse("inputs of 2 and of 4 dimensions", "one kind");
      become(Add{}, {&a, &b}, a.is_flat);
      return;
    }
    become_bias(a.node >= 0 ? 1 : 0);
  }

  void concat() {
    std::vector<const OnnxValue*> inputs;
    for (std::size_t i = 0; i < node().inputs.size(); ++i) inputs.push_back(&computed(i));
    if (inputs.empty()) refuse("no input", "some");
    const bool is_flat = inputs[0]->is_flat;
    const std::int64_t axis = integer("axis", 1);
    if (axis != 1 && axis != (is_flat ? -1 : -3)) refuse("axis " + std::to_string(axis), "1");
    for (const OnnxValue* value : inputs) {
      if (value->is_flat != is_flat) refuse("inputs of 2 and of 4 dimensions", "one kind");
    }
    become(Concat{}, inputs, is_flat);
  }

  void flatten() {
    expect_integer("axis", 1);
    flatten_input();
  }
  void flatten_input() {
    const OnnxValue& in = computed(0);
    if (in.is_flat) {
      define(in);
    } else {
      become(Flatten{}, {&in}, true);
    }
  }
  void squeeze() {
    const Shape& in = shape(feature_map(0));
    if (in.h != 1 || in.w != 1 || integers("axes", 1) != std::vector<std::int64_t>{2, 3}) {
      refuse("another shape or other axes", "a feature map of one pixel, axes [2, 3]");
    }
    flatten_input();
  }
  void reshape() {
    const std::vector<std::int64_t> wanted = integers(1);
    const OnnxValue& in = input(0);
    if (in.node < 0) {
      define({-1, false, reshaped(in.dims, wanted), in.constant});
      return;
    }
    const Shape& s = shape(in);
    const std::vector<std::int64_t> from = in.is_flat ? std::vector{std::int64_t{1}, s.c}
                                                      : std::vector{std::int64_t{1}, s.c, s.h, s.w};
    std::vector<std::int64_t> to = wanted;
    if (to.size() > 1 && to[0] == -1 && to[1] != -1) to[0] = 1;  // the batch
    to = reshaped(from, to);
    if (to == from) {
      define(in);
    } else if (to == std::vector{std::int64_t{1}, s.elements()}) {
      flatten_input();
    } else {
      refuse("shape " + list_text(wanted) + " for " + list_text(from), "one that flattens");
    }
  }
  /// `wanted` with 0 (as before) and -1 (the rest) filled in.
  std::vector<std::int64_t> reshaped(const std::vector<std::int64_t>& from,
                                     std::vector<std::int64_t> wanted) const {
    std::int64_t elements = 1, rest = 1;
    for (const std::int64_t size : from) elements *= size;
    std::int64_t* open = nullptr;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i] == 0 && i < from.size()) wanted[i] = from[i];
      const bool fits = wanted[i] > 0 && wanted[i] <= kMaxDim && rest <= kMaxElements / wanted[i];
      if (fits) {
        rest *= wanted[i];
      } else if (wanted[i] == -1 && !open) {
        open = &wanted[i];
      } else {
        refuse("shape " + list_text(wanted), "positive sizes, and -1 once at most");
      }
    }
    if (open) *open = elements / rest;
    if (open ? elements % rest != 0 : elements != rest) {
      refuse("shape " + list_text(wanted) + " for " + list_text(from), "as many values");
    }
    return wanted;
  }

  void keep() { define(input(0)); }
  void softmax() {
    const std::string& output = node().outputs.empty() ? node().op : node().outputs[0];
    const bool is_output =
        std::find(model().outputs.begin(), model().outputs.end(), output) != model().outputs.end();
    if (!is_output || readers(output) != 1) refuse("readers of its output", "it at the end");
    keep();
  }
  void make_constant() {
    const OnnxAttribute* value = attribute("value");
    if (!value || !value->tensor) refuse("no tensor", "attribute value");
    define(constant_value(*value->tensor));
  }

  void convert() {
    static const Operator kOperators[] = {
        {"Add", &Importer::sum},
        {"AveragePool", &Importer::average_pool},
        {"BatchNormalization", &Importer::batch_norm},
        {"Cast", &Importer::keep},
        {"Clip", &Importer::clip},
        {"Concat", &Importer::concat},
        {"Constant", &Importer::make_constant},
        {"Conv", &Importer::conv},
        {"Dropout", &Importer::keep},
        {"Flatten", &Importer::flatten},
        {"Gemm", &Importer::gemm},
        {"GlobalAveragePool", &Importer::global_average},
        {"Identity", &Importer::keep},
        {"LeakyRelu", &Importer::leaky_relu},
        {"LogSoftmax", &Importer::softmax},
        {"MatMul", &Importer::mat_mul},
        {"MaxPool", &Importer::max_pool},
        {"ReduceMean", &Importer::reduce_mean},
        {"Relu", &Importer::relu},
        {"Reshape", &Importer::reshape},
        {"Softmax", &Importer::softmax},
        {"SpaceToDepth", &Importer::space_to_depth},
        {"Squeeze", &Importer::squeeze},
    };
    std::vector<std::string_view> known;
    for (const Operator& entry : kOperators) {
      known.emplace_back(entry.name);
      const bool own_domain = node().domain.empty() || node().domain == "ai.onnx";
      if (own_domain && node().op == entry.name) return (this->*entry.convert)();
    }
    refuse("an operator that is no layer", "one of: " + join(known));
  }
};

}  // namespace

ImportedNetwork import_onnx(const std::string& path) { return Importer(path).run(); }

}  // namespace bitpulse
