// SPDX-License-Identifier: Apache-2.0
#include "quant/integer/twin.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "models/error.h"
#include "quant/integer/parallel.h"
#include "quant/integer/validate.h"

namespace bitpulse {

namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// One image of one layer, output pixel by output pixel.
class TwinLayer {
 public:
  TwinLayer(const IntegerNetwork& network, const IntegerLayer& layer, TensorCodes& tensors)
      : network_(network), layer_(layer), tensors_(tensors) {
    if (const auto* gemm = std::get_if<GemmOp>(&layer.op)) transpose(*gemm);
  }

  void run(std::int64_t image) const {
    std::vector<double> values(index(layer_.out.c));
    for (std::int64_t y = 0; y < layer_.out.h; ++y) {
      for (std::int64_t x = 0; x < layer_.out.w; ++x) {
        std::visit([&](const auto& op) { evaluate(op, image, y, x, values); }, layer_.op);
        for (std::int64_t c = 0; c < layer_.out.c; ++c)
          store(image, y, x, c, static_cast<std::int64_t>(values[index(c)]));
      }
    }
  }

 private:
  std::int32_t code(TensorId id, std::int64_t image, std::int64_t y, std::int64_t x,
                    std::int64_t c) const {
    const Shape& s = network_.tensors[index(id)].shape;
    return tensors_[index(id)][index(((image * s.h + y) * s.w + x) * s.c + c)];
  }

  /// Weights as [position][input channel of the group][output channel].
  void transpose(const GemmOp& op) {
    const std::int64_t k = op.window.kernel_h * op.window.kernel_w * (layer_.in.c / op.groups);
    weights_.resize(index(k * layer_.out.c));
    for (std::int64_t n = 0; n < layer_.out.c; ++n)
      for (std::int64_t i = 0; i < k; ++i)
        weights_[index(i * layer_.out.c + n)] = op.weights[index(n * k + i)];
  }

  /// Calls visit(position, row, column) for the window's elements inside the input.
  template <class Visit>
  void window(const Window& w, std::int64_t y, std::int64_t x, const Visit& visit) const {
    for (std::int64_t ky = 0; ky < w.kernel_h; ++ky) {
      for (std::int64_t kx = 0; kx < w.kernel_w; ++kx) {
        const std::int64_t row = y * w.stride_h - w.pad_top + ky * w.dilation_h;
        const std::int64_t col = x * w.stride_w - w.pad_left + kx * w.dilation_w;
        if (row >= 0 && row < layer_.in.h && col >= 0 && col < layer_.in.w)
          visit(ky * w.kernel_w + kx, row, col);
      }
    }
  }

  void evaluate(const GemmOp& op, std::int64_t image, std::int64_t y, std::int64_t x,
                std::vector<double>& values) const {
    const std::int64_t cin = layer_.in.c / op.groups, cout = layer_.out.c / op.groups;
    std::fill(values.begin(), values.end(), 0.0);
    window(op.window, y, x, [&](std::int64_t position, std::int64_t row, std::int64_t col) {
      for (std::int64_t g = 0; g < op.groups; ++g) {
        for (std::int64_t i = 0; i < cin; ++i) {
          const double act = code(op.input, image, row, col, g * cin + i);
          const double* w = weights_.data() + (position * cin + i) * layer_.out.c + g * cout;
          double* sum = values.data() + g * cout;
          for (std::int64_t n = 0; n < cout; ++n) sum[n] += act * w[n];
        }
      }
    });
    for (std::int64_t n = 0; n < layer_.out.c; ++n)
      values[index(n)] = std::clamp<double>(values[index(n)] + op.bias[index(n)],
                                            std::numeric_limits<std::int32_t>::min(),
                                            std::numeric_limits<std::int32_t>::max());
  }

  void evaluate(const PoolOp& op, std::int64_t image, std::int64_t y, std::int64_t x,
                std::vector<double>& values) const {
    for (std::int64_t c = 0; c < layer_.out.c; ++c) {
      double sum = 0, most = -std::numeric_limits<double>::infinity();
      window(op.window, y, x, [&](std::int64_t, std::int64_t row, std::int64_t col) {
        const double v = code(op.input, image, row, col, c);
        sum += v;
        most = std::max(most, v);
      });
      const auto n = static_cast<double>(op.window.kernel_h * op.window.kernel_w);
      values[index(c)] = op.is_max ? most : op.floor_average ? std::floor(sum / n) : sum;
    }
  }

  void evaluate(const ElementwiseOp& op, std::int64_t image, std::int64_t y, std::int64_t x,
                std::vector<double>& values) const {
    for (std::int64_t c = 0; c < layer_.out.c; ++c)
      values[index(c)] = code(op.input, image, y, x, c);
  }

  std::int64_t identity(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t c) const {
    const Residual& r = *layer_.residual;
    const std::int64_t from = c - r.channels_before;
    if (from < 0 || from >= network_.tensors[index(r.identity)].shape.c) return 0;
    return code(r.identity, image, y * r.stride, x * r.stride, from);
  }

  /// Adds the residual, requantizes for every store and writes.
  void store(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t c,
             std::int64_t value) const {
    const Rounding rounding = network_.rounding;
    const Residual* r = layer_.residual ? &*layer_.residual : nullptr;
    const bool low_bit = r != nullptr && r->kind == Residual::Kind::kLowBit;
    std::int64_t other = r == nullptr ? 0 : identity(image, y, x, c);
    if (low_bit) {
      value = clamp(r->main.apply(value, c, rounding), r->main_clamp);
    } else if (r != nullptr) {
      const CodeRange clip = Precision{16, true}.range();
      value = clamp(r->main.apply(value, c, rounding), clip) +
              clamp(r->identity_requantizer.apply(other, c, rounding), clip);
    }
    for (const Store& s : layer_.stores) {
      std::int64_t result;
      if (low_bit) {
        const Multiplier m = s.requantizer.positive[0];
        result = round_shift(value * m.m + other * s.identity_m, m.shift, rounding);
      } else {
        result = s.requantizer.apply(value, c, rounding);
      }
      const Shape& to = network_.tensors[index(s.tensor)].shape;
      const std::int64_t block = (y % s.reorg) * s.reorg + x % s.reorg;
      const std::int64_t channel = s.channel_offset + block * layer_.out.c + c;
      tensors_[index(s.tensor)]
              [index(((image * to.h + y / s.reorg) * to.w + x / s.reorg) * to.c + channel)] =
                  static_cast<std::int32_t>(clamp(result, s.clamp));
    }
  }

  const IntegerNetwork& network_;
  const IntegerLayer& layer_;
  TensorCodes& tensors_;
  std::vector<double> weights_;
};

}  // namespace

TensorCodes run_twin(const IntegerNetwork& network, TensorCodes tensors, std::int64_t batch,
                     int threads) {
  validate(network);
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorKind::kInvalidInput, "fake-quant twin of '" + network.name + "': " + why);
  };
  if (!network.has_parameters) refuse("it has no parameters");
  if (batch < 1 || tensors.size() > network.tensors.size()) refuse("inputs that do not fit");
  tensors.resize(network.tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::int64_t elements = network.tensors[i].shape.elements();
    if (batch > kMaxElements / elements) refuse("the batch is too large");
    if (!tensors[i].empty() && tensors[i].size() != index(batch * elements))
      refuse("tensor '" + network.tensors[i].name + "' has another size");
  }
  for (const NetworkInput& input : network.inputs)
    for (const InputStore& store : input.stores)
      if (tensors[index(store.tensor)].empty()) refuse("input '" + input.name + "' is missing");
  for (const IntegerLayer& layer : network.layers) {
    for (const Store& store : layer.stores)
      tensors[index(store.tensor)].resize(
          index(batch * network.tensors[index(store.tensor)].shape.elements()));
    const TwinLayer twin(network, layer, tensors);
    parallel_for(threads, batch, [&](std::int64_t image, int) { twin.run(image); });
  }
  return tensors;
}

}  // namespace bitpulse
