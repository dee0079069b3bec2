// SPDX-License-Identifier: Apache-2.0
#include "quant/integer/validate.h"

#include <algorithm>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "models/error.h"
#include "models/units.h"

namespace bitpulse {

namespace {

constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kInt32Min = std::numeric_limits<std::int32_t>::min();

std::string text(const Shape& s) {
  return std::to_string(s.c) + "x" + std::to_string(s.h) + "x" + std::to_string(s.w);
}

/// Checks that name the part of the network they are about.
class Checker {
 public:
  Checker(const IntegerNetwork& network, std::string where)
      : network_(network), where_(std::move(where)) {}

  void require(bool ok, const std::string& why, ErrorKind kind = ErrorKind::kInvalidInput) const {
    if (!ok) fail(why, kind);
  }

  /// For loops over values, which must not make a text for each.
  [[noreturn]] void fail(const std::string& why, ErrorKind kind = ErrorKind::kInvalidInput) const {
    throw Error(kind, "integer network '" + network_.name + "': " + where_ + ": " + why);
  }

  void shape(const Shape& s) const {
    for (std::int64_t dim : {s.c, s.h, s.w})
      require(dim >= 1 && dim <= kMaxDim,
              "shape " + text(s) + ", expected dimensions of 1 to " + std::to_string(kMaxDim),
              ErrorKind::kLimit);
    require(s.c <= kMaxElements / s.h / s.w, "shape " + text(s) + " has too many elements",
            ErrorKind::kLimit);
  }

  const StoredTensor& tensor(TensorId id) const {
    require(id >= 0 && static_cast<std::size_t>(id) < network_.tensors.size(),
            "tensor " + std::to_string(id) + " of " + std::to_string(network_.tensors.size()));
    return network_.tensors[static_cast<std::size_t>(id)];
  }

  void within(CodeRange inner, CodeRange outer, const std::string& what) const {
    require(inner.min <= inner.max && inner.min >= outer.min && inner.max <= outer.max,
            what + " is " + std::to_string(inner.min) + ".." + std::to_string(inner.max) +
                ", expected within " + std::to_string(outer.min) + ".." +
                std::to_string(outer.max));
  }

  void window(const Window& w, std::int64_t most) const {
    for (std::int64_t v :
         {w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w})
      require(v >= 1 && v <= most, "window extent " + std::to_string(v));
    for (std::int64_t v : {w.pad_top, w.pad_bottom, w.pad_left, w.pad_right})
      require(v >= 0 && v <= most, "padding " + std::to_string(v));
  }

  void requantizer(const Requantizer& r, std::int64_t channels) const {
    const auto n = static_cast<std::int64_t>(r.positive.size());
    require(n == 0 || n == 1 || n == channels,
            std::to_string(n) + " multipliers for " + std::to_string(channels) + " channels");
    require(r.negative.empty() || r.negative.size() == r.positive.size(),
            std::to_string(r.negative.size()) + " second multipliers beside " + std::to_string(n));
    for (const Multiplier& m : r.positive)
      if (m.m == kInt32Min || m.shift > 62)
        fail("multiplier " + std::to_string(m.m) + " / 2^" + std::to_string(m.shift));
    for (const std::int32_t m : r.negative)
      if (m == kInt32Min) fail("second multiplier -2^31");
  }

  void slice(const Shape& out, std::int64_t offset, std::int64_t reorg, TensorId id) const {
    const Shape& to = tensor(id).shape;
    require(
        reorg >= 1 && reorg <= std::min(out.h, out.w) && out.h % reorg == 0 && out.w % reorg == 0,
        "reorg " + std::to_string(reorg) + " of " + text(out));
    require(to.h == out.h / reorg && to.w == out.w / reorg && offset >= 0 &&
                out.c * reorg * reorg <= to.c && offset <= to.c - out.c * reorg * reorg,
            "stores " + text(out) + " at channel " + std::to_string(offset) + " of tensor '" +
                tensor(id).name + "' of shape " + text(to));
  }

 protected:
  const IntegerNetwork& network_;
  std::string where_;
};

/// Whether a convolution's window makes `out` positions along one axis.
bool fits(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
          std::int64_t dilation, std::int64_t pad_begin, std::int64_t pad_end) {
  const std::int64_t reach = (kernel - 1) * dilation + 1, padded = in + pad_begin + pad_end;
  return padded >= reach && out == (padded - reach) / stride + 1;
}

/// Whether every window sees at least one element (pools may run over the end).
bool sees_input(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                std::int64_t dilation, std::int64_t pad) {
  for (std::int64_t o = 0; o < out; ++o) {
    const std::int64_t start = o * stride - pad;
    const std::int64_t k = start >= 0 ? 0 : ceil_div(-start, dilation);  // the first not before it
    if (k >= kernel || start + k * dilation >= in) return false;
  }
  return true;
}

class LayerChecker : public Checker {
 public:
  LayerChecker(const IntegerNetwork& network, const IntegerLayer& layer)
      : Checker(network, "layer '" + layer.name + "'"), layer_(layer) {}

  void run() const {
    shape(layer_.in);
    shape(layer_.out);
    std::visit([this](const auto& op) { input(op.input), check(op); }, layer_.op);
    require(!layer_.stores.empty(), "no stores");
    if (layer_.residual) check(*layer_.residual);
    for (const Store& store : layer_.stores) check(store);
  }

 private:
  void input(TensorId id) const {
    require(tensor(id).shape == layer_.in, "reads tensor '" + tensor(id).name + "' of shape " +
                                               text(tensor(id).shape) + ", expected " +
                                               text(layer_.in));
  }

  void check(const GemmOp& op) const {
    const Shape &in = layer_.in, &out = layer_.out;
    const Window& w = op.window;
    window(w, kMaxDim);
    require(tensor(op.input).precision.bits <= 16, "its input has more than 16 bits");
    require(fits(in.h, out.h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top, w.pad_bottom) &&
                fits(in.w, out.w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left, w.pad_right),
            "its window does not make " + text(out) + " of " + text(in));
    require(op.groups >= 1 && in.c % op.groups == 0 && out.c % op.groups == 0,
            std::to_string(op.groups) + " groups of " + std::to_string(in.c) + " and " +
                std::to_string(out.c) + " channels");
    require(op.weight_bits.size() == static_cast<std::size_t>(out.c),
            std::to_string(op.weight_bits.size()) + " weight widths for " + std::to_string(out.c) +
                " channels");
    for (const std::uint8_t bits : op.weight_bits)
      if (bits < 1 || bits > 16) fail("weights of " + std::to_string(bits) + " bits");
    if (network_.has_parameters) check_parameters(op);
  }

  void check_parameters(const GemmOp& op) const {
    require(op.window.kernel_h <= kMaxElements / op.window.kernel_w &&
                op.window.kernel_h * op.window.kernel_w <= kMaxElements / layer_.in.c,
            "K is too large", ErrorKind::kLimit);
    const std::int64_t k = op.window.kernel_h * op.window.kernel_w * (layer_.in.c / op.groups);
    const auto expected =
        static_cast<unsigned __int128>(k) * static_cast<std::uint64_t>(layer_.out.c);
    require(op.weights.narrow.empty() != op.weights.wide.empty() && op.weights.size() == expected,
            std::to_string(op.weights.size()) + " weights, expected " + std::to_string(k) +
                " per output channel");
    require(op.bias.size() == static_cast<std::size_t>(layer_.out.c),
            std::to_string(op.bias.size()) + " biases for " + std::to_string(layer_.out.c) +
                " channels");
    op.weights.narrow.empty() ? check_codes(op, op.weights.wide, k)
                              : check_codes(op, op.weights.narrow, k);
  }

  template <class Code>
  void check_codes(const GemmOp& op, const std::vector<Code>& codes, std::int64_t k) const {
    using Unsigned = std::make_unsigned_t<Code>;
    for (std::int64_t c = 0; c < layer_.out.c; ++c) {
      const std::uint8_t bits = op.weight_bits[static_cast<std::size_t>(c)];
      const CodeRange range = Precision{bits, true}.range();
      if (range.max >= std::numeric_limits<Code>::max()) continue;
      const Code* first = codes.data() + c * k;
      const auto span = static_cast<Unsigned>(range.max - range.min);
      bool bad = false;
      for (std::int64_t i = 0; i < k; ++i)
        bad |= static_cast<Unsigned>(first[i] - range.min) > span || (bits == 1 && first[i] == 0);
      if (bad)
        fail("a weight in channel " + std::to_string(c) + " is no code of " + std::to_string(bits) +
             " bits");
    }
  }

  void check(const PoolOp& op) const {
    const Shape &in = layer_.in, &out = layer_.out;
    const Window& w = op.window;
    window(w, kMaxDim);
    require(out.c == in.c,
            "a pool from " + std::to_string(in.c) + " to " + std::to_string(out.c) + " channels");
    require(sees_input(in.h, out.h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top) &&
                sees_input(in.w, out.w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left),
            "a window lies in the padding");
    if (op.is_max) return;
    const CodeRange range = tensor(op.input).precision.range();
    require(w.kernel_h <= kInt32Max / w.kernel_w &&
                w.kernel_h * w.kernel_w <= kInt32Max / std::max(range.max, -range.min),
            "the sum of a window can exceed 32 bits");
  }

  void check(const ElementwiseOp&) const {
    require(layer_.in == layer_.out,
            "elementwise from " + text(layer_.in) + " to " + text(layer_.out));
  }

  void check(const Residual& r) const {
    const StoredTensor& identity = tensor(r.identity);
    const Shape& out = layer_.out;
    require(identity.precision.bits <= 16, "its identity has more than 16 bits");
    require(r.stride >= 1 && r.channels_before >= 0 && r.stride <= kMaxDim &&
                (out.h - 1) * r.stride < identity.shape.h &&
                (out.w - 1) * r.stride < identity.shape.w,
            "identity '" + identity.name + "' of " + text(identity.shape) + " at stride " +
                std::to_string(r.stride) + " for " + text(out));
    requantizer(r.main, out.c);
    requantizer(r.identity_requantizer, out.c);
    if (r.kind == Residual::Kind::kLowBit)
      within(r.main_clamp, {-32768, 65535}, "the main branch's range");
  }

  void check(const Store& store) const {
    slice(layer_.out, store.channel_offset, store.reorg, store.tensor);
    if (!network_.has_parameters) return;
    within(store.clamp, tensor(store.tensor).precision.range(), "a store's range");
    requantizer(store.requantizer, layer_.out.c);
    require(store.identity_m > kInt32Min, "identity multiplier -2^31");
    if (layer_.residual && layer_.residual->kind == Residual::Kind::kLowBit)
      require(store.requantizer.positive.size() == 1 && store.requantizer.negative.empty(),
              "a low-bit residual add takes one multiplier per store");
  }

  const IntegerLayer& layer_;
};

void check_tensors(const IntegerNetwork& network) {
  for (const StoredTensor& tensor : network.tensors) {
    const Checker check(network, "tensor '" + tensor.name + "'");
    check.shape(tensor.shape);
    const Precision p = tensor.precision;
    check.require(p.bits >= 1 && p.bits <= (p.is_signed ? 32 : 16),
                  std::to_string(p.bits) + (p.is_signed ? " signed" : " unsigned") +
                      " bits, expected 1 to 32 signed or 1 to 16 unsigned");
  }
}

void check_inputs(const IntegerNetwork& network) {
  for (const NetworkInput& input : network.inputs) {
    const Checker check(network, "input '" + input.name + "'");
    check.shape(input.shape);
    for (const InputStore& store : input.stores) {
      check.slice(input.shape, store.channel_offset, store.reorg, store.tensor);
      if (!network.has_parameters) continue;
      check.require(store.codes.size() == static_cast<std::size_t>(input.shape.c) * 256,
                    "a table of " + std::to_string(store.codes.size()) + " codes for " +
                        std::to_string(input.shape.c) + " channels");
      const auto [low, high] = std::minmax_element(store.codes.begin(), store.codes.end());
      check.within({*low, *high}, check.tensor(store.tensor).precision.range(), "its table");
    }
  }
}

/// Every tensor is written before it is read.
void check_order(const IntegerNetwork& network) {
  std::vector<bool> written(network.tensors.size(), false);
  const auto write = [&](TensorId id) { written[static_cast<std::size_t>(id)] = true; };
  for (const NetworkInput& input : network.inputs)
    for (const InputStore& store : input.stores) write(store.tensor);
  for (const IntegerLayer& layer : network.layers) {
    const Checker check(network, "layer '" + layer.name + "'");
    const auto read = [&](TensorId id) {
      check.require(written[static_cast<std::size_t>(id)],
                    "reads tensor '" + check.tensor(id).name + "' before it is written");
    };
    std::visit([&](const auto& op) { read(op.input); }, layer.op);
    if (layer.residual) read(layer.residual->identity);
    for (const Store& store : layer.stores) write(store.tensor);
  }
}

void check_outputs(const IntegerNetwork& network) {
  for (const NetworkOutput& output : network.outputs) {
    const Checker check(network, "output '" + output.name + "'");
    const auto channels = static_cast<std::size_t>(check.tensor(output.tensor).shape.c);
    check.require(output.scales.size() <= 1 || output.scales.size() == channels,
                  std::to_string(output.scales.size()) + " scales for " + std::to_string(channels) +
                      " channels");
  }
}

}  // namespace

void validate(const IntegerNetwork& network) {
  check_tensors(network);
  check_inputs(network);
  for (const IntegerLayer& layer : network.layers) LayerChecker(network, layer).run();
  check_order(network);
  check_outputs(network);
}

}  // namespace bitpulse
