// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/layer_shape.h"

#include <tuple>

namespace bitpulse {

namespace {

auto numbers(const Window& w) {
  return std::tie(w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.pad_top, w.pad_bottom,
                  w.pad_left, w.pad_right, w.dilation_h, w.dilation_w);
}

auto numbers(const LayerShape& s) {
  return std::tie(s.is_gemm, s.in, s.in_kept, s.groups, s.cin, s.cout, s.out_h, s.out_w, s.batch,
                  s.passes, s.has_identity, s.identity, s.stores);
}

const StoredTensor& tensor(const IntegerNetwork& network, TensorId id) {
  return network.tensors[static_cast<std::size_t>(id)];
}

/// A pool's passes over its window and, where codes change, over its result.
std::uint32_t pool_passes(const IntegerNetwork& network, const IntegerLayer& layer,
                          const PoolOp& pool) {
  bool requantizes = !pool.is_max;
  const StoredTensor& in = tensor(network, pool.input);
  for (const Store& store : layer.stores) {
    const StoredTensor& out = tensor(network, store.tensor);
    requantizes |= out.precision != in.precision;
    requantizes |= out.shape.c != layer.out.c * store.reorg * store.reorg;
  }
  return static_cast<std::uint32_t>(pool.window.kernel_h * pool.window.kernel_w) +
         (requantizes ? 1 : 0);
}

}  // namespace

TensorShape tensor_shape(const StoredTensor& tensor) {
  TensorShape shape;
  shape.bits = tensor.precision.bits;
  shape.c = tensor.shape.c;
  shape.h = tensor.shape.h;
  shape.w = tensor.shape.w;
  shape.pixel_bits = byte_aligned(shape.c * shape.bits);
  return shape;
}

bool operator==(const LayerShape& a, const LayerShape& b) {
  return numbers(a) == numbers(b) && numbers(a.window) == numbers(b.window);
}

LayerShape layer_shape(const IntegerNetwork& network, const IntegerLayer& layer,
                       std::int64_t batch) {
  LayerShape shape;
  shape.batch = batch;
  shape.out_h = layer.out.h;
  shape.out_w = layer.out.w;
  shape.m = batch * layer.out.pixels();
  shape.cin = layer.in.c;
  shape.cout = layer.out.c;
  TensorId input = -1;
  if (const auto* gemm = std::get_if<GemmOp>(&layer.op)) {
    shape.is_gemm = true;
    shape.window = gemm->window;
    shape.groups = gemm->groups;
    shape.cin = layer.in.c / gemm->groups;
    shape.cout = layer.out.c / gemm->groups;
    input = gemm->input;
  } else if (const auto* pool = std::get_if<PoolOp>(&layer.op)) {
    shape.window = pool->window;
    shape.passes = pool_passes(network, layer, *pool);
    input = pool->input;
  } else {
    input = std::get<ElementwiseOp>(layer.op).input;
  }
  shape.in = tensor_shape(tensor(network, input));
  if (layer.residual) {
    shape.has_identity = true;
    shape.identity = {tensor_shape(tensor(network, layer.residual->identity)), false,
                      layer.residual->stride, layer.residual->channels_before};
    ++shape.passes;
  }
  shape.stores.reserve(layer.stores.size());
  for (const Store& store : layer.stores) {
    shape.stores.push_back(
        {tensor_shape(tensor(network, store.tensor)), false, store.channel_offset, store.reorg});
  }
  if (!shape.stores.empty()) shape.passes += static_cast<std::uint32_t>(shape.stores.size() - 1);
  return shape;
}

}  // namespace bitpulse
