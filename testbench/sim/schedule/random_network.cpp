// SPDX-License-Identifier: Apache-2.0
#include "testbench/sim/schedule/random_network.h"

#include <string>

namespace bitpulse {

namespace {

TensorId add_tensor(IntegerNetwork& network, Shape shape, Precision precision) {
  StoredTensor tensor;
  tensor.name = "t" + std::to_string(network.tensors.size());
  tensor.shape = shape;
  tensor.precision = precision;
  network.tensors.push_back(tensor);
  return static_cast<TensorId>(network.tensors.size() - 1);
}

Window random_window(RandomSource& random) {
  Window w;
  w.kernel_h = random.number(1, 4);
  w.kernel_w = random.number(1, 4);
  w.stride_h = random.number(1, 3);
  w.stride_w = random.number(1, 3);
  w.dilation_h = random.one_in(4) ? 2 : 1;
  w.dilation_w = random.one_in(4) ? 2 : 1;
  w.pad_top = random.number(0, 2);
  w.pad_bottom = random.number(0, 2);
  w.pad_left = random.number(0, 2);
  w.pad_right = random.number(0, 2);
  return w;
}

std::int64_t windows(std::int64_t size, std::int64_t pads, std::int64_t kernel,
                     std::int64_t dilation, std::int64_t stride) {
  return (size + pads - (kernel - 1) * dilation - 1) / stride + 1;
}

Shape output_shape(Shape in, const Window& w, std::int64_t channels) {
  return {channels, windows(in.h, w.pad_top + w.pad_bottom, w.kernel_h, w.dilation_h, w.stride_h),
          windows(in.w, w.pad_left + w.pad_right, w.kernel_w, w.dilation_w, w.stride_w)};
}

/// Bits a layer may store: low widths, the 16-bit stream, raw sums.
Precision random_precision(RandomSource& random) {
  return {random.pick<std::uint8_t>({1, 2, 3, 4, 8, 8, 16, 32}), true};
}

void add_residual(RandomSource& random, IntegerNetwork& network, IntegerLayer& layer) {
  Residual residual;
  residual.stride = random.one_in(3) ? 2 : 1;
  Shape shape = layer.out;
  shape.h = (shape.h - 1) * residual.stride + 1;
  shape.w = (shape.w - 1) * residual.stride + 1;
  if (random.one_in(3)) {
    shape.c = random.number(1, layer.out.c);
    residual.channels_before = random.number(0, layer.out.c - shape.c);
  }
  residual.identity = add_tensor(network, shape, {random.pick<std::uint8_t>({2, 4, 8, 16}), true});
  layer.residual = residual;
}

void add_stores(RandomSource& random, IntegerNetwork& network, IntegerLayer& layer) {
  const auto count = random.one_in(3) ? 2 : 1;
  for (int i = 0; i < count; ++i) {
    Store store;
    Shape shape = layer.out;
    if (random.one_in(4)) {
      store.channel_offset = random.number(0, 5);
      shape.c += store.channel_offset + random.number(0, 3);
    } else if (layer.out.h % 2 == 0 && layer.out.w % 2 == 0 && random.one_in(2)) {
      store.reorg = 2;
      shape = {layer.out.c * 4, layer.out.h / 2, layer.out.w / 2};
    }
    const Precision precision = random_precision(random);
    store.clamp = precision.range();
    store.tensor = add_tensor(network, shape, precision);
    layer.stores.push_back(store);
  }
}

std::vector<std::uint8_t> random_widths(RandomSource& random, std::int64_t channels) {
  const auto width = [&] { return random.pick<std::uint8_t>({1, 2, 3, 4, 8, 16}); };
  std::vector<std::uint8_t> bits(static_cast<std::size_t>(channels), width());
  if (random.one_in(3)) {
    for (auto& b : bits) b = width();
  }
  return bits;
}

void add_layer(RandomSource& random, IntegerNetwork& network) {
  IntegerLayer layer;
  layer.name = "layer" + std::to_string(network.layers.size());
  const std::int64_t groups = random.one_in(4) ? random.number(1, 6) : 1;
  layer.in = {groups * random.number(1, random.one_in(3) ? 40 : 6), random.number(1, 12),
              random.number(1, 12)};
  const TensorId input =
      add_tensor(network, layer.in, {random.pick<std::uint8_t>({1, 2, 3, 4, 8, 8, 16}), true});
  Window window;
  do {
    window = random_window(random);
    layer.out = output_shape(layer.in, window, layer.in.c);
  } while (layer.in.h + window.pad_top + window.pad_bottom <=
               (window.kernel_h - 1) * window.dilation_h ||
           layer.in.w + window.pad_left + window.pad_right <=
               (window.kernel_w - 1) * window.dilation_w);
  switch (random.number(0, 5)) {
    case 0: {
      layer.kind = "max_pool";
      layer.op = PoolOp{input, window, true, false};
      break;
    }
    case 1: {
      layer.kind = "avg_pool";
      layer.op = PoolOp{input, window, false, false};
      break;
    }
    case 2: {
      layer.kind = "add";
      layer.out = layer.in;
      layer.op = ElementwiseOp{input};
      add_residual(random, network, layer);
      break;
    }
    default: {
      layer.kind = "conv2d";
      layer.out.c = groups * random.number(1, random.one_in(3) ? 45 : 7);
      GemmOp gemm;
      gemm.input = input;
      gemm.window = window;
      gemm.groups = groups;
      gemm.weight_bits = random_widths(random, layer.out.c);
      layer.op = gemm;
      if (random.one_in(3)) add_residual(random, network, layer);
      break;
    }
  }
  add_stores(random, network, layer);
  network.layers.push_back(layer);
}

}  // namespace

Machine random_machine(RandomSource& random) {
  Machine machine;
  machine.name = "random";
  machine.array.rows = static_cast<std::uint32_t>(random.number(1, random.one_in(2) ? 5 : 40));
  machine.array.cols = static_cast<std::uint32_t>(random.number(1, random.one_in(2) ? 5 : 40));
  machine.array.dataflow = random.pick({Dataflow::kOs, Dataflow::kWs, Dataflow::kIs});
  machine.array.pe = random.pick({PeKind::kInt8, PeKind::kInt4, PeKind::kInt2, PeKind::kFused});
  machine.array.acc_bits = random.pick({8, 16, 24, 32});
  machine.array.overflow = random.pick({Overflow::kWrap, Overflow::kSaturate});
  machine.array.overlap = !random.one_in(4);
  const auto kib = [&] { return random.pick<std::uint32_t>({1, 1, 2, 4, 16, 256}); };
  machine.buffers = {kib(), kib(), kib(), kib()};
  machine.vector.lanes = static_cast<std::uint32_t>(random.number(1, 40));
  machine.dram.bytes_per_cycle = static_cast<std::uint32_t>(random.number(1, 32));
  machine.dram.latency_cycles = static_cast<std::uint32_t>(random.number(0, 80));
  machine.keep_on_chip = random.one_in(2);
  return machine;
}

IntegerNetwork random_network(RandomSource& random) {
  IntegerNetwork network;
  network.name = "random";
  const std::int64_t layers = random.number(1, 2);
  for (std::int64_t i = 0; i < layers; ++i) add_layer(random, network);
  return network;
}

}  // namespace bitpulse
