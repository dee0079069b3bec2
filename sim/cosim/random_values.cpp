// SPDX-License-Identifier: Apache-2.0
#include "sim/cosim/random_values.h"

#include <algorithm>

namespace bitpulse {
namespace {

template <class T>
T any_of(NetworkBuilder& b, std::initializer_list<T> values) {
  return *(values.begin() + b.pick(0, static_cast<std::int64_t>(values.size()) - 1));
}

bool one_in(NetworkBuilder& b, std::int64_t n) { return b.pick(1, n) == 1; }

Precision act_precision(NetworkBuilder& b) {
  const auto bits = any_of<std::uint8_t>(b, {1, 2, 3, 4, 8, 8, 8, 16});
  return {bits, bits > 1 && one_in(b, 2)};  // a requantizer makes zeros, binary codes have none
}

/// A window that keeps the size of its input.
Window same_size_window(NetworkBuilder& b) {
  Window w;
  if (one_in(b, 2)) return w;
  w.kernel_h = w.kernel_w = 3;
  w.pad_top = w.pad_bottom = w.pad_left = w.pad_right = 1;
  return w;
}

Window random_window(NetworkBuilder& b, Shape in, bool pool) {
  Window w;
  const auto axis = [&](std::int64_t extent, std::int64_t& kernel, std::int64_t& stride,
                        std::int64_t& dilation, std::int64_t& before, std::int64_t& after) {
    kernel = one_in(b, 3) ? 1 : b.pick(1, std::min<std::int64_t>(4, extent));
    stride = one_in(b, 2) ? 1 : b.pick(1, 3);
    dilation = kernel * 2 <= extent && one_in(b, 4) ? 2 : 1;
    const std::int64_t most = pool ? (kernel - 1) / 2 : kernel;  // every window sees the input
    before = one_in(b, 2) ? 0 : b.pick(0, most);
    after = one_in(b, 2) ? 0 : b.pick(0, most);
    if (pool && dilation > 1) before = after = 0;
  };
  axis(in.h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top, w.pad_bottom);
  axis(in.w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left, w.pad_right);
  return w;
}

std::int64_t extent(std::int64_t in, std::int64_t kernel, std::int64_t stride,
                    std::int64_t dilation, std::int64_t pads) {
  return (in + pads - (kernel - 1) * dilation - 1) / stride + 1;
}

void add_conv(NetworkBuilder& b, TensorId from) {
  const Shape in = b.shape(from);
  if (one_in(b, 3)) {  // one that its input may be added to
    b.conv(from, in.c, same_size_window(b), 1, {8});
    return;
  }
  const Window window = random_window(b, in, false);
  std::int64_t groups = 1;
  if (one_in(b, 3)) groups = in.c;
  if (one_in(b, 4) && in.c % 2 == 0) groups = 2;
  const std::int64_t channels = groups * (one_in(b, 2) ? 1 : b.pick(1, one_in(b, 3) ? 40 : 6));
  const auto width = [&] { return any_of<std::uint8_t>(b, {1, 2, 3, 4, 8, 8, 8, 16}); };
  std::vector<std::uint8_t> widths{width()};
  if (one_in(b, 3)) widths.push_back(width());
  b.conv(from, channels, window, groups, widths);
}

void add_pool(NetworkBuilder& b, TensorId from) {
  const Shape in = b.shape(from);
  const Window w = random_window(b, in, true);
  const Shape out{in.c,
                  extent(in.h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top + w.pad_bottom),
                  extent(in.w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left + w.pad_right)};
  const bool is_max = one_in(b, 2);
  const Precision precision = b.precision(from);
  const bool may_floor =
      !precision.is_signed && w.pad_top + w.pad_left + w.pad_bottom + w.pad_right == 0;
  b.pool(from, out, w, is_max, !is_max && may_floor && one_in(b, 2));
}

/// An identity of a kind that can add it: one of the tensors that stand already.
bool add_earlier(NetworkBuilder& b, const std::vector<TensorId>& earlier) {
  const Shape out = b.network.layers.back().out;
  for (auto it = earlier.rbegin(); it != earlier.rend(); ++it) {
    if (!(b.shape(*it) == out) || b.precision(*it).bits < 2) continue;
    const bool is_signed = b.precision(*it).is_signed;
    b.residual(is_signed ? Residual::Kind::kStream16 : Residual::Kind::kLowBit, *it, 1, 0,
               {8, true});
    return true;
  }
  return false;
}

void add_residual(NetworkBuilder& b, const std::vector<TensorId>& earlier) {
  if (one_in(b, 2) && add_earlier(b, earlier)) return;
  const Shape out = b.network.layers.back().out;
  const std::int64_t stride = any_of<std::int64_t>(b, {1, 1, 2});
  Shape shape{out.c, (out.h - 1) * stride + 1, (out.w - 1) * stride + 1};
  std::int64_t before = 0;
  if (out.c > 1 && one_in(b, 3)) {
    shape.c = b.pick(1, out.c - 1);
    before = b.pick(0, out.c - shape.c);
  }
  const auto kind = one_in(b, 2) ? Residual::Kind::kStream16 : Residual::Kind::kLowBit;
  const TensorId identity =
      b.input(shape, {any_of<std::uint8_t>(b, {2, 4, 8, 16}), kind == Residual::Kind::kStream16});
  b.residual(kind, identity, stride, before, {8, true});
}

/// Stores the last layer; returns the tensors that a later layer may read.
std::vector<TensorId> add_stores(NetworkBuilder& b) {
  const IntegerLayer& layer = b.network.layers.back();
  const bool low_bit = layer.residual && layer.residual->kind == Residual::Kind::kLowBit;
  std::vector<TensorId> readable;
  for (std::int64_t i = one_in(b, 3) ? 2 : 1; i > 0; --i) {
    NetworkBuilder::StoreOptions options;
    options.per_channel = one_in(b, 2);
    options.leaky = !low_bit && one_in(b, 4);
    options.relu = one_in(b, 2);
    const Shape out = b.network.layers.back().out;
    if (one_in(b, 5)) {  // a raw output
      options.copy = !low_bit && !b.network.layers.back().residual;
      b.store_new({32, true}, options);
    } else if (one_in(b, 4)) {  // a slice of a wider tensor, whose other channels stay zero
      options.channel_offset = b.pick(0, 5);
      const Shape wide{out.c + options.channel_offset + b.pick(0, 3), out.h, out.w};
      b.store(b.tensor(wide, act_precision(b)), options);
    } else if (out.h % 2 == 0 && out.w % 2 == 0 && one_in(b, 2)) {
      options.reorg = 2;
      const TensorId id = b.tensor({out.c * 4, out.h / 2, out.w / 2}, act_precision(b));
      b.store(id, options);
      readable.push_back(id);
    } else {
      readable.push_back(b.store_new(act_precision(b), options));
    }
  }
  return readable;
}

}  // namespace

NetworkBuilder random_value_network(std::uint64_t seed) {
  NetworkBuilder b(seed, static_cast<Rounding>(seed % 3));
  TensorId from =
      b.input({one_in(b, 3) ? b.pick(1, 40) : b.pick(1, 6), b.pick(1, 11), b.pick(1, 11)},
              act_precision(b));
  std::vector<TensorId> earlier{from};
  for (std::int64_t layers = b.pick(1, 4); layers > 0; --layers) {
    const std::int64_t kind = b.pick(0, 5);
    if (kind == 0) {
      add_pool(b, from);
    } else if (kind == 1) {
      b.sum(from);
      add_residual(b, earlier);
    } else {
      add_conv(b, from);
      if (one_in(b, 3)) add_residual(b, earlier);
    }
    const std::vector<TensorId> readable = add_stores(b);
    if (readable.empty()) break;
    earlier.insert(earlier.end(), readable.begin(), readable.end());
    from = readable.front();
  }
  for (const Store& store : b.network.layers.back().stores) b.output(store.tensor);
  return b;
}

}  // namespace bitpulse
