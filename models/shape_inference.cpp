// SPDX-License-Identifier: Apache-2.0
#include "models/shape_inference.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <initializer_list>
#include <limits>

#include "models/error.h"

namespace bitpulse {
namespace {

std::string to_text(const Shape& s) {
  return std::to_string(s.c) + " x " + std::to_string(s.h) + " x " + std::to_string(s.w);
}

/// Product of non-negative factors, or the largest integer where it does not fit.
std::int64_t saturating_product(std::initializer_list<std::int64_t> factors) {
  std::int64_t product = 1;
  for (const std::int64_t f : factors) {
    if (__builtin_mul_overflow(product, f, &product)) {
      return std::numeric_limits<std::int64_t>::max();
    }
  }
  return product;
}

/// What a layer of the given output shape needs; saturates.
struct Work {
  std::int64_t weights = 0;
  std::int64_t macs = 0;
};

Work work_of(const Layer& layer, const Shape& in, const Shape& out) {
  if (const auto* conv = std::get_if<Conv2d>(&layer)) {
    const std::int64_t per_group = in.c / conv->groups;
    const Window& w = conv->window;
    return {
        saturating_product({conv->out_channels, per_group, w.kernel_h, w.kernel_w}),
        saturating_product({out.pixels(), conv->out_channels, per_group, w.kernel_h, w.kernel_w})};
  }
  if (const auto* linear = std::get_if<Linear>(&layer)) {
    const std::int64_t weights = saturating_product({linear->out_features, in.elements()});
    return {weights, weights};
  }
  if (const auto* gemm = std::get_if<Gemm>(&layer)) {
    return {saturating_product({gemm->n, in.c}), saturating_product({in.h, in.c, gemm->n})};
  }
  return {};
}

/// Infers the output of one layer kind per overload; inputs have been checked by their own nodes.
class Inference {
 public:
  Inference(const std::string& place, const std::vector<Shape>& inputs)
      : place_(place), inputs_(inputs) {}

  Shape operator()(const Input& layer) const {
    expect_inputs(0);
    return layer.shape;
  }
  Shape operator()(const Conv2d& layer) const {
    const Shape in = single();
    expect_range("out_channels", layer.out_channels, 1, kMaxDim);
    expect_range("groups", layer.groups, 1, kMaxDim);
    if (in.c % layer.groups != 0 || layer.out_channels % layer.groups != 0) {
      fail(std::to_string(layer.groups) + " groups do not divide " + std::to_string(in.c) +
           " input and " + std::to_string(layer.out_channels) + " output channels");
    }
    return window_output(in, layer.window, false, layer.out_channels);
  }
  Shape operator()(const Linear& layer) const {
    single();
    return {layer.out_features, 1, 1};
  }
  Shape operator()(const Gemm& layer) const {
    const Shape in = single();
    if (in.w != 1) fail("input is " + to_text(in) + ", a gemm takes K x M x 1");
    return {layer.n, in.h, 1};
  }
  Shape operator()(const BatchNorm& layer) const {
    if (!(layer.eps > 0) || !std::isfinite(layer.eps)) fail("eps must be positive");
    return single();
  }
  Shape operator()(const Relu& layer) const {
    if (layer.max && (!(*layer.max > 0) || !std::isfinite(*layer.max))) {
      fail("max must be positive");
    }
    return single();
  }
  Shape operator()(const LeakyRelu& layer) const {
    if (!(layer.slope >= 0 && layer.slope <= 1)) fail("slope must lie in 0..1");
    return single();
  }
  Shape operator()(const MaxPool& layer) const {
    const Shape in = single();
    const Shape out = window_output(in, layer.window, layer.ceil_mode, in.c);
    const Window& w = layer.window;
    expect_pixel_in_every_window(in.h, out.h, w.kernel_h, w.stride_h, w.pad_top, w.dilation_h);
    expect_pixel_in_every_window(in.w, out.w, w.kernel_w, w.stride_w, w.pad_left, w.dilation_w);
    return out;
  }
  Shape operator()(const AvgPool& layer) const {
    const Shape in = single();
    if (layer.window.dilation_h != 1 || layer.window.dilation_w != 1) {
      fail("average pooling has no dilation");
    }
    return window_output(in, layer.window, false, in.c);
  }
  Shape operator()(const GlobalAvgPool&) const { return {single().c, 1, 1}; }
  Shape operator()(const Add&) const {
    expect_inputs(2);
    if (inputs_[0] != inputs_[1]) {
      fail("inputs of an add differ: " + to_text(inputs_[0]) + " and " + to_text(inputs_[1]));
    }
    return inputs_[0];
  }
  Shape operator()(const Concat&) const {
    if (inputs_.size() < 2) fail("a concat takes two or more inputs");
    Shape out = inputs_[0];
    out.c = 0;
    for (const Shape& in : inputs_) {
      if (in.h != out.h || in.w != out.w) {
        fail("inputs of a concat differ in height or width: " + to_text(inputs_[0]) + " and " +
             to_text(in));
      }
      out.c += in.c;
    }
    return out;
  }
  Shape operator()(const Reorg& layer) const {
    const Shape in = single();
    expect_range("stride", layer.stride, 1, kMaxDim);
    if (in.h % layer.stride != 0 || in.w % layer.stride != 0) {
      fail("reorg stride " + std::to_string(layer.stride) + " does not divide input " +
           to_text(in));
    }
    return {saturating_product({in.c, layer.stride, layer.stride}), in.h / layer.stride,
            in.w / layer.stride};
  }
  Shape operator()(const Flatten&) const { return {single().elements(), 1, 1}; }
  Shape operator()(const SlicePad& layer) const {
    const Shape in = single();
    expect_range("stride", layer.stride, 1, kMaxDim);
    expect_range("channels_before", layer.channels_before, 0, kMaxDim);
    expect_range("channels_after", layer.channels_after, 0, kMaxDim);
    return {in.c + layer.channels_before + layer.channels_after,
            (in.h + layer.stride - 1) / layer.stride, (in.w + layer.stride - 1) / layer.stride};
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kInvalidInput, place_ + ": " + what);
  }
  void expect_range(const char* what, std::int64_t value, std::int64_t min,
                    std::int64_t max) const {
    if (value < min || value > max) {
      fail(std::string(what) + " is " + std::to_string(value) + ", expected " +
           std::to_string(min) + ".." + std::to_string(max));
    }
  }

 private:
  void expect_inputs(std::size_t count) const {
    if (inputs_.size() != count) {
      fail("has " + std::to_string(inputs_.size()) + " inputs, expected " + std::to_string(count));
    }
  }
  const Shape& single() const {
    expect_inputs(1);
    return inputs_[0];
  }

  Shape window_output(const Shape& in, const Window& w, bool ceil_mode,
                      std::int64_t channels) const {
    for (const std::int64_t v : {w.kernel_h, w.kernel_w}) expect_range("kernel", v, 1, kMaxDim);
    for (const std::int64_t v : {w.stride_h, w.stride_w}) expect_range("stride", v, 1, kMaxDim);
    for (const std::int64_t v : {w.dilation_h, w.dilation_w}) {
      expect_range("dilation", v, 1, kMaxDim);
    }
    for (const std::int64_t v : {w.pad_top, w.pad_bottom, w.pad_left, w.pad_right}) {
      expect_range("pad", v, 0, kMaxDim);
    }
    return {channels,
            window_extent(in.h, w.kernel_h, w.stride_h, w.pad_top, w.pad_bottom, w.dilation_h,
                          ceil_mode),
            window_extent(in.w, w.kernel_w, w.stride_w, w.pad_left, w.pad_right, w.dilation_w,
                          ceil_mode)};
  }

  std::int64_t window_extent(std::int64_t in, std::int64_t kernel, std::int64_t stride,
                             std::int64_t before, std::int64_t after, std::int64_t dilation,
                             bool ceil_mode) const {
    const std::int64_t window = dilation * (kernel - 1) + 1;
    const std::int64_t room = in + before + after - window;
    if (room < 0) {
      fail("window of " + std::to_string(window) + " is larger than its padded input of " +
           std::to_string(in + before + after));
    }
    std::int64_t out = room / stride + 1;
    // PyTorch: one more, partial window where it still starts inside the input or its front pad.
    if (ceil_mode && room % stride != 0 && out * stride < in + before) ++out;
    return out;
  }

  /// A maximum over padding alone has no value.
  void expect_pixel_in_every_window(std::int64_t in, std::int64_t out, std::int64_t kernel,
                                    std::int64_t stride, std::int64_t before,
                                    std::int64_t dilation) const {
    bool all = (out - 1) * stride - before < in;
    for (std::int64_t o = 0; all && o < out && o * stride < before; ++o) {
      const std::int64_t taps = (before - o * stride + dilation - 1) / dilation;
      all = taps < kernel && o * stride - before + taps * dilation < in;
    }
    if (!all) fail("a pooling window lies in the padding alone");
  }

  const std::string& place_;
  const std::vector<Shape>& inputs_;
};

}  // namespace

Shape infer_shape(const std::string& place, const Layer& layer, const std::vector<Shape>& inputs) {
  const Inference inference(place, inputs);
  const Shape out = std::visit(inference, layer);
  inference.expect_range("output channels", out.c, 1, kMaxDim);
  inference.expect_range("output height", out.h, 1, kMaxDim);
  inference.expect_range("output width", out.w, 1, kMaxDim);
  inference.expect_range("output elements", saturating_product({out.c, out.h, out.w}), 1,
                         kMaxElements);
  const Work work = work_of(layer, inputs.empty() ? out : inputs[0], out);
  inference.expect_range("number of weights", work.weights, 0, kMaxElements);
  inference.expect_range("number of multiply-accumulates", work.macs, 0, kMaxMacs);
  return out;
}

std::int64_t weight_elements(const Layer& layer, const Shape& input) {
  return work_of(layer, input, Shape{}).weights;
}

std::int64_t layer_macs(const Layer& layer, const Shape& input, const Shape& output) {
  return work_of(layer, input, output).macs;
}

}  // namespace bitpulse
