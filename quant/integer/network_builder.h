// SPDX-License-Identifier: Apache-2.0
#pragma once

// Integer networks with random parameters, built layer by layer: weights at the full range of their
// width, multipliers that spread the results over the range of what is stored.

#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "quant/integer/executor.h"
#include "quant/integer/integer_network.h"

namespace bitpulse {

class NetworkBuilder {
 public:
  explicit NetworkBuilder(std::uint64_t seed, Rounding rounding = Rounding::kHalfUp)
      : random_(seed) {
    network.name = "random";
    network.method = "test";
    network.rounding = rounding;
    network.has_parameters = true;
  }

  std::int64_t pick(std::int64_t min, std::int64_t max) {
    return std::uniform_int_distribution<std::int64_t>(min, max)(random_);
  }

  TensorId tensor(Shape shape, Precision precision) {
    const auto id = static_cast<TensorId>(network.tensors.size());
    network.tensors.push_back({"t" + std::to_string(id), shape, precision, 0.01 * (id + 1)});
    return id;
  }

  /// A network input with a random table, stored as `precision`.
  TensorId input(Shape shape, Precision precision) {
    const TensorId id = tensor(shape, precision);
    InputStore store;
    store.tensor = id;
    for (std::int64_t i = 0; i < shape.c * 256; ++i) store.codes.push_back(code(precision));
    network.inputs.push_back({"in", shape, {store}});
    return id;
  }

  std::int32_t code(Precision precision) {
    const CodeRange range = precision.range();
    const auto c = static_cast<std::int32_t>(pick(range.min, range.max));
    return precision.bits == 1 && precision.is_signed && c == 0 ? 1 : c;
  }

  const Shape& shape(TensorId id) const {
    return network.tensors[static_cast<std::size_t>(id)].shape;
  }
  Precision precision(TensorId id) const {
    return network.tensors[static_cast<std::size_t>(id)].precision;
  }

  /// A layer that convolves `from` into `channels`; its widths are picked from `bits`.
  IntegerLayer& conv(TensorId from, std::int64_t channels, Window window, std::int64_t groups,
                     const std::vector<std::uint8_t>& bits) {
    IntegerLayer layer;
    layer.in = shape(from);
    layer.out = {channels,
                 extent(layer.in.h, window.kernel_h, window.stride_h, window.dilation_h,
                        window.pad_top + window.pad_bottom),
                 extent(layer.in.w, window.kernel_w, window.stride_w, window.dilation_w,
                        window.pad_left + window.pad_right)};
    GemmOp op;
    op.input = from;
    op.window = window;
    op.groups = groups;
    const std::int64_t k = window.kernel_h * window.kernel_w * layer.in.c / groups;
    bool wide = false;
    for (std::int64_t c = 0; c < channels; ++c) {
      op.weight_bits.push_back(
          bits[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(bits.size()) - 1))]);
      wide = wide || op.weight_bits.back() > 8;
    }
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t i = 0; i < k; ++i) {
        const int w = code({op.weight_bits[static_cast<std::size_t>(c)], true});
        wide ? op.weights.wide.push_back(static_cast<std::int16_t>(w))
             : op.weights.narrow.push_back(static_cast<std::int8_t>(w));
      }
      op.bias.push_back(static_cast<std::int32_t>(pick(-1000, 1000)));
    }
    spread_.clear();
    for (std::int64_t c = 0; c < channels; ++c)
      spread_.push_back(std::sqrt(static_cast<double>(k)) * level(precision(from)) *
                        level({op.weight_bits[static_cast<std::size_t>(c)], true}));
    layer.op = std::move(op);
    return add(std::move(layer), "conv2d");
  }

  IntegerLayer& pool(TensorId from, Shape out, Window window, bool is_max, bool floor_average) {
    IntegerLayer layer;
    layer.in = shape(from);
    layer.out = out;
    PoolOp op;
    op.input = from;
    op.window = window;
    op.is_max = is_max;
    op.floor_average = floor_average;
    layer.op = op;
    const double area = static_cast<double>(window.kernel_h * window.kernel_w);
    spread_.assign(static_cast<std::size_t>(out.c),
                   level(precision(from)) * (is_max || floor_average ? 1 : area));
    return add(std::move(layer), is_max ? "max_pool" : "avg_pool");
  }

  IntegerLayer& sum(TensorId from) {
    IntegerLayer layer;
    layer.in = layer.out = shape(from);
    layer.op = ElementwiseOp{from};
    spread_.assign(static_cast<std::size_t>(layer.out.c), level(precision(from)));
    return add(std::move(layer), "add");
  }

  /// Adds a residual to the last layer.
  void residual(Residual::Kind kind, TensorId identity, std::int64_t stride,
                std::int64_t channels_before, Precision main) {
    IntegerLayer& layer = network.layers.back();
    Residual r;
    r.kind = kind;
    r.identity = identity;
    r.stride = stride;
    r.channels_before = channels_before;
    if (kind == Residual::Kind::kStream16) main = {16, true};
    r.main = requantizer(main, true, false);
    r.main_clamp = main.range();
    if (kind == Residual::Kind::kStream16) {
      const std::vector<double> of_main = std::exchange(
          spread_,
          std::vector<double>(static_cast<std::size_t>(layer.out.c), level(precision(identity))));
      r.identity_requantizer = requantizer(main, true, false);
      spread_ = of_main;
    }
    layer.residual = std::move(r);
    spread_.assign(static_cast<std::size_t>(layer.out.c), level(main) * 2);
  }

  /// Stores the last layer's value.
  struct StoreOptions {
    bool relu = false, per_channel = true, leaky = false, copy = false;
    std::int64_t channel_offset = 0, reorg = 1;
  };
  void store(TensorId to, const StoreOptions& options) {
    IntegerLayer& layer = network.layers.back();
    Store store;
    store.tensor = to;
    store.channel_offset = options.channel_offset;
    store.reorg = options.reorg;
    store.clamp = precision(to).range();
    if (options.relu) store.clamp.min = 0;
    const bool low_bit = layer.residual && layer.residual->kind == Residual::Kind::kLowBit;
    if (low_bit) {
      store.requantizer = requantizer(precision(to), false, false);
      store.identity_m = static_cast<std::int32_t>(pick(1, 100));
      store.requantizer.positive[0] = {static_cast<std::int32_t>(pick(-100, 100)),
                                       static_cast<std::uint8_t>(pick(5, 8))};
    } else if (!options.copy) {
      store.requantizer = requantizer(precision(to), options.per_channel, options.leaky);
    }
    layer.stores.push_back(std::move(store));
  }

  /// Stores to a new tensor of the layer's own shape.
  TensorId store_new(Precision to, const StoreOptions& options) {
    const TensorId id = tensor(network.layers.back().out, to);
    store(id, options);
    return id;
  }

  void output(TensorId id) { network.outputs.push_back({"out", id, {0.5}}); }

  TensorCodes random_inputs(std::int64_t batch) {
    TensorCodes tensors(network.tensors.size());
    for (const NetworkInput& in : network.inputs) {
      for (const InputStore& s : in.stores) {
        auto& codes = tensors[static_cast<std::size_t>(s.tensor)];
        codes.resize(static_cast<std::size_t>(batch * shape(s.tensor).elements()));
        for (std::int32_t& c : codes) c = code(precision(s.tensor));
      }
    }
    return tensors;
  }

  IntegerNetwork network;

 private:
  static std::int64_t extent(std::int64_t in, std::int64_t kernel, std::int64_t stride,
                             std::int64_t dilation, std::int64_t pads) {
    return (in + pads - (kernel - 1) * dilation - 1) / stride + 1;
  }

  /// Root mean square of uniform codes.
  static double level(Precision p) {
    const CodeRange range = p.range();
    return static_cast<double>(range.max - range.min) / (p.is_signed ? 3.5 : 1.7);
  }

  IntegerLayer& add(IntegerLayer layer, const char* kind) {
    layer.name = "layer" + std::to_string(network.layers.size());
    layer.kind = kind;
    network.layers.push_back(std::move(layer));
    return network.layers.back();
  }

  Multiplier multiplier(double ratio) {
    int exponent = 0;
    const double mantissa = std::frexp(ratio, &exponent);
    const int bits = static_cast<int>(pick(5, 31));
    return {static_cast<std::int32_t>(mantissa * (std::ldexp(1.0, bits) - 1)),
            static_cast<std::uint8_t>(std::min(62, std::max(0, bits - exponent)))};
  }

  /// Multipliers that take values of spread_ to the range of `to`, a bit beyond at its ends.
  Requantizer requantizer(Precision to, bool per_channel, bool leaky) {
    Requantizer r;
    const std::size_t count = per_channel ? spread_.size() : 1;
    for (std::size_t c = 0; c < count; ++c) {
      const double ratio = static_cast<double>(to.range().max) / (1.5 * spread_[c]);
      Multiplier m = multiplier(ratio);
      if (pick(0, 5) == 0) m.m = -m.m;  // a negative batch-norm weight
      r.positive.push_back(m);
      if (leaky) r.negative.push_back(m.m / 10);
    }
    return r;
  }

  std::mt19937_64 random_;
  std::vector<double> spread_;  // of the last layer's value, by channel
};

}  // namespace bitpulse
