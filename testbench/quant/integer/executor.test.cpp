// SPDX-License-Identifier: Apache-2.0
#include "quant/integer/executor.h"

#include <algorithm>

#include "models/error.h"
#include "quant/integer/twin.h"
#include "quant/integer/validate.h"
#include "testbench/catch.h"
#include "testbench/quant/integer/ordered_model.h"
#include "testbench/quant/integer/residual_network.h"

namespace bitpulse {
namespace {

using Options = NetworkBuilder::StoreOptions;

/// Share of distinct values among a tensor's codes must not collapse: a test on constants is none.
void require_spread(const std::vector<std::int32_t>& codes) {
  std::vector<std::int32_t> sorted = codes;
  std::sort(sorted.begin(), sorted.end());
  const auto distinct = std::unique(sorted.begin(), sorted.end()) - sorted.begin();
  REQUIRE(distinct >= 2);
}

void require_twin(NetworkBuilder& builder, std::int64_t batch) {
  const TensorCodes inputs = builder.random_inputs(batch);
  const TensorCodes twin = run_twin(builder.network, inputs, batch);
  for (Isa isa : supported_isas()) {
    for (int threads : {1, 3}) {
      ExecuteOptions options;
      options.isa = isa;
      options.threads = threads;
      options.keep_all_tensors = true;
      const ExecuteResult result = execute(builder.network, inputs, batch, options);
      CAPTURE(static_cast<int>(isa), threads);
      for (const OverflowCounts& counts : result.overflow) {
        CHECK(counts.intermediate == 0);
        CHECK(counts.final_sum == 0);
      }
      for (std::size_t t = 0; t < twin.size(); ++t) {
        CAPTURE(t, builder.network.tensors[t].name);
        REQUIRE(result.tensors[t] == twin[t]);
      }
    }
  }
}

TEST_CASE("deployed integers equal the fake-quant twin over whole residual networks",
          "[quant][executor]") {
  const auto kind = GENERATE(Residual::Kind::kStream16, Residual::Kind::kLowBit);
  const auto rounding = GENERATE(Rounding::kHalfUp, Rounding::kHalfEven, Rounding::kHalfAway);
  CAPTURE(static_cast<int>(kind), static_cast<int>(rounding));
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    NetworkBuilder b = residual_network(kind, rounding, seed);
    require_twin(b, 3);
    const TensorCodes codes = run_twin(b.network, b.random_inputs(2), 2);
    for (const auto& tensor : codes) require_spread(tensor);
  }
}

TEST_CASE("a leaky store takes its second multiplier where the product is negative",
          "[quant][executor]") {
  NetworkBuilder b(7);
  const TensorId image = b.input({1, 1, 4}, {8, true});
  IntegerLayer& layer = b.conv(image, 2, Window{}, 1, {8});
  auto& op = std::get<GemmOp>(layer.op);
  op.weights.narrow = {1, 1};
  op.bias = {0, 0};
  const TensorId out = b.store_new({8, true}, {});
  Requantizer& r = b.network.layers.back().stores[0].requantizer;
  r.positive = {{16, 4}, {-16, 4}};  // the second channel has a negative batch-norm weight
  r.negative = {4, -4};
  TensorCodes inputs(2);
  inputs[0] = {100, -100, 6, -6};
  ExecuteOptions options;
  options.keep_all_tensors = true;
  const auto codes = execute(b.network, inputs, 1, options).tensors[static_cast<std::size_t>(out)];
  CHECK(codes == std::vector<std::int32_t>{100, -25, -25, 100, 6, -1, -1, 6});
}

TEST_CASE("a floored average rounds down on both sides of zero", "[quant][executor]") {
  NetworkBuilder b(8);
  const TensorId image = b.input({1, 2, 3}, {16, true});
  b.pool(
      image, {1, 1, 3},
      [] {
        Window w;
        w.kernel_h = 2;
        return w;
      }(),
      false, true);
  Options copy;
  copy.copy = true;
  b.output(b.store_new({16, true}, copy));
  const ExecuteResult result = execute(b.network, {{3, -3, -4, 4, -4, -4}}, 1, {});
  CHECK(result.tensors[1] == std::vector<std::int32_t>{3, -4, -4});
}

TEST_CASE("random single convolutions equal the twin", "[quant][executor]") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    NetworkBuilder b(seed);
    const std::int64_t groups =
        std::vector<std::int64_t>{1, 1, 2, 3, 17}[static_cast<std::size_t>(b.pick(0, 4))];
    const std::int64_t cin = groups * (b.pick(0, 2) == 0 ? 1 : b.pick(1, 5));
    const std::int64_t cout = groups * (b.pick(0, 1) == 0 ? 1 : b.pick(1, 40));
    Window w;
    w.kernel_h = b.pick(1, 4), w.kernel_w = b.pick(1, 4);
    w.stride_h = b.pick(1, 3), w.stride_w = b.pick(1, 3);
    w.dilation_h = b.pick(1, 2), w.dilation_w = b.pick(1, 2);
    w.pad_top = b.pick(0, 3), w.pad_bottom = b.pick(0, 3);
    w.pad_left = b.pick(0, 3), w.pad_right = b.pick(0, 3);
    const Shape in{cin, b.pick(7, 12), b.pick(7, 12)};
    const Precision act{static_cast<std::uint8_t>(b.pick(1, 8)), b.pick(0, 1) == 1};
    const std::vector<std::vector<std::uint8_t>> widths{{8}, {1}, {2, 4}, {3, 12}, {16}};
    const TensorId image = b.input(in, act);
    b.conv(image, cout, w, groups, widths[static_cast<std::size_t>(b.pick(0, 4))]);
    Options options;
    options.per_channel = b.pick(0, 1) == 0;
    options.leaky = b.pick(0, 1) == 0;
    const TensorId out = b.store_new({8, true}, options);
    b.output(out);
    CAPTURE(seed, groups, cin, cout);
    require_twin(b, b.pick(1, 3));
  }
}

/// Codes of the window of one output element, padding included, position-major.
std::vector<int> window_codes(const IntegerLayer& layer, const std::vector<std::int32_t>& codes,
                              std::int64_t image, std::int64_t y, std::int64_t x,
                              std::int64_t group) {
  const auto& op = std::get<GemmOp>(layer.op);
  const std::int64_t cin = layer.in.c / op.groups;
  std::vector<int> result;
  for (std::int64_t ky = 0; ky < op.window.kernel_h; ++ky) {
    for (std::int64_t kx = 0; kx < op.window.kernel_w; ++kx) {
      for (std::int64_t c = 0; c < cin; ++c) {
        const std::int64_t row = y * op.window.stride_h - op.window.pad_top + ky;
        const std::int64_t col = x * op.window.stride_w - op.window.pad_left + kx;
        const bool inside = row >= 0 && row < layer.in.h && col >= 0 && col < layer.in.w;
        result.push_back(inside ? codes[static_cast<std::size_t>(
                                      ((image * layer.in.h + row) * layer.in.w + col) * layer.in.c +
                                      group * cin + c)]
                                : 0);
      }
    }
  }
  return result;
}

TEST_CASE("layers with narrow accumulators equal a scalar model in sums and counts",
          "[quant][executor]") {
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    NetworkBuilder b(seed);
    const std::int64_t groups = b.pick(1, 3);
    const bool depthwise = b.pick(0, 3) == 0;
    const std::int64_t cin = depthwise ? 1 : b.pick(1, 6), cout = depthwise ? 1 : b.pick(1, 20);
    const Precision act{static_cast<std::uint8_t>(b.pick(2, 8)), b.pick(0, 1) == 1};
    const TensorId image = b.input({groups * cin, 5, 4}, act);
    b.conv(image, groups * cout, square_window(3, 1, 1), groups, {4, 8});
    Options raw;
    raw.copy = true;
    const TensorId out = b.store_new({32, true}, raw);
    b.output(out);
    const IntegerLayer& layer = b.network.layers[0];
    const auto& op = std::get<GemmOp>(layer.op);
    LayerAccumulation orders;
    for (const int bits : {4, 8}) {
      AccumulationOrder order;
      order.dataflow = static_cast<Dataflow>(b.pick(0, 2));
      order.overflow = static_cast<Overflow>(b.pick(0, 1));
      order.acc_bits = static_cast<int>(b.pick(8, 18));
      if (b.pick(0, 1) == 0) {
        order.digit_bits = 4;
        order.act_digits = act.bits > 4 ? 2 : 1;
        order.weight_digits = bits / 4;
      } else {
        order.lanes = b.pick(1, 4);
      }
      const std::int64_t k = 9 * ((cin + order.lanes - 1) / order.lanes);
      for (std::int64_t end = b.pick(1, 8); end < k; end += b.pick(1, 8))
        order.segments.push_back(end);
      order.segments.push_back(k);
      orders.emplace_back(bits, order);
    }
    const std::int64_t batch = 2;
    const TensorCodes inputs = b.random_inputs(batch);
    std::vector<std::int32_t> expected;
    OverflowCounts counts;
    for (std::int64_t m = 0; m < batch * layer.out.pixels(); ++m) {
      for (std::int64_t c = 0; c < layer.out.c; ++c) {
        const std::int64_t pixel = m % layer.out.pixels();
        const auto x = window_codes(layer, inputs[0], m / layer.out.pixels(), pixel / layer.out.w,
                                    pixel % layer.out.w, c / cout);
        std::vector<int> w;
        for (std::size_t i = 0; i < x.size(); ++i)
          w.push_back(op.weights[static_cast<std::size_t>(c) * x.size() + i]);
        const AccumulationOrder& order =
            orders[op.weight_bits[static_cast<std::size_t>(c)] == 4 ? 0 : 1].second;
        const ModelSum sum = OrderedModel(order, 9, cin).sum(x, w);
        const std::int64_t half = std::int64_t{1} << (order.acc_bits - 1);
        expected.push_back(
            static_cast<std::int32_t>(sum.value + op.bias[static_cast<std::size_t>(c)]));
        counts.intermediate += sum.intermediate;
        counts.final_sum += sum.exact < -half || sum.exact >= half ? 1 : 0;
      }
    }
    for (Isa isa : supported_isas()) {
      ExecuteOptions options;
      options.isa = isa;
      options.threads = 2;
      options.accumulation = {orders};
      const ExecuteResult result = execute(b.network, inputs, batch, options);
      CAPTURE(seed, static_cast<int>(isa));
      REQUIRE(result.tensors[static_cast<std::size_t>(out)] == expected);
      REQUIRE(result.overflow[0] == counts);
    }
  }
}

TEST_CASE("a range of layers continues from the tensors of the layers before it",
          "[quant][executor]") {
  NetworkBuilder b = residual_network(Residual::Kind::kStream16, Rounding::kHalfUp, 3);
  const TensorCodes inputs = b.random_inputs(2);
  const ExecuteResult whole = execute(b.network, inputs, 2, {});
  const auto layers = static_cast<std::int64_t>(b.network.layers.size());
  for (std::int64_t cut = 0; cut + 1 < layers; ++cut) {
    ExecuteOptions first, second;
    first.last_layer = cut;
    second.first_layer = cut + 1;
    const ExecuteResult head = execute(b.network, inputs, 2, first);
    CHECK(execute(b.network, head.tensors, 2, second).tensors == whole.tensors);
  }
}

TEST_CASE("only the outputs are left of a run that keeps nothing else", "[quant][executor]") {
  NetworkBuilder b = residual_network(Residual::Kind::kLowBit, Rounding::kHalfUp, 1);
  const ExecuteResult result = execute(b.network, b.random_inputs(1), 1, {});
  for (std::size_t t = 0; t < result.tensors.size(); ++t)
    CHECK(result.tensors[t].empty() == (static_cast<TensorId>(t) != b.network.outputs[0].tensor));
}

TEST_CASE("image bytes become codes through the input tables", "[quant][executor]") {
  NetworkBuilder b(5);
  const TensorId plain = b.input({2, 4, 2}, {8, true});
  InputStore reordered;
  reordered.tensor = b.tensor({9, 2, 1}, {6, false});
  reordered.channel_offset = 1;
  reordered.reorg = 2;
  for (int i = 0; i < 512; ++i) reordered.codes.push_back(i % 61);
  b.network.inputs[0].stores.push_back(reordered);
  ImageSet images;
  images.shape = {2, 4, 2};
  images.count = 2;
  for (int i = 0; i < 32; ++i) images.pixels.push_back(static_cast<std::uint8_t>(i * 7));
  const TensorCodes codes = encode_inputs(b.network, images, 1, 1);
  const auto& table = b.network.inputs[0].stores[0].codes;
  for (std::size_t c = 0; c < 2; ++c) {
    for (std::size_t y = 0; y < 4; ++y) {
      for (std::size_t x = 0; x < 2; ++x) {
        const std::size_t byte = images.pixels[16 + c * 8 + y * 2 + x];
        CHECK(codes[static_cast<std::size_t>(plain)][(y * 2 + x) * 2 + c] == table[c * 256 + byte]);
        CHECK(codes[1][(y / 2) * 9 + 1 + (y % 2 * 2 + x % 2) * 2 + c] ==
              reordered.codes[c * 256 + byte]);
      }
    }
  }
  CHECK_THROWS_AS(encode_inputs(b.network, images, 1, 2), Error);
}

TEST_CASE("a network that cannot be executed is refused with the layer's name",
          "[quant][executor]") {
  const auto refused = [](auto change) -> std::string {
    NetworkBuilder b = residual_network(Residual::Kind::kStream16, Rounding::kHalfUp, 1);
    change(b.network);
    try {
      validate(b.network);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const auto gemm = [](IntegerNetwork& n, std::size_t layer) -> GemmOp& {
    return std::get<GemmOp>(n.layers[layer].op);
  };
  CHECK(refused([](IntegerNetwork&) {}).empty());
  const auto names = [&](const std::string& text, const char* what) {
    INFO(text);
    return text.find(what) != std::string::npos;
  };
  CHECK(names(refused([&](IntegerNetwork& n) { gemm(n, 0).input = 99; }), "layer0"));
  CHECK(names(refused([&](IntegerNetwork& n) { gemm(n, 0).input = -1; }), "tensor -1"));
  CHECK(names(refused([&](IntegerNetwork& n) { gemm(n, 0).groups = 0; }), "0 groups"));
  CHECK(names(refused([&](IntegerNetwork& n) { gemm(n, 0).window.stride_h = 0; }), "window"));
  CHECK(names(refused([&](IntegerNetwork& n) { gemm(n, 0).window.pad_left = -1; }), "padding"));
  CHECK(names(
      refused([&](IntegerNetwork& n) { gemm(n, 0).window.dilation_w = std::int64_t{1} << 60; }),
      "window"));
  CHECK(names(refused([&](IntegerNetwork& n) { gemm(n, 0).bias.pop_back(); }), "biases"));
  CHECK(
      names(refused([&](IntegerNetwork& n) { gemm(n, 0).weights.narrow.pop_back(); }), "weights"));
  CHECK(names(refused([&](IntegerNetwork& n) { gemm(n, 2).weights.narrow[5] = 9; }), "4 bits"));
  CHECK(names(refused([&](IntegerNetwork& n) { gemm(n, 0).weight_bits[3] = 17; }), "17 bits"));
  CHECK(names(refused([](IntegerNetwork& n) { n.layers[0].stores[0].channel_offset = 1; }),
              "stores"));
  CHECK(names(refused([](IntegerNetwork& n) { n.layers[0].stores[0].reorg = 0; }), "reorg"));
  CHECK(names(refused([](IntegerNetwork& n) { n.layers[0].stores[0].clamp.max = 128; }), "range"));
  CHECK(names(
      refused([](IntegerNetwork& n) { n.layers[0].stores[0].requantizer.positive[1].shift = 63; }),
      "2^63"));
  CHECK(names(
      refused([](IntegerNetwork& n) { n.layers[0].stores[0].requantizer.positive.pop_back(); }),
      "multipliers"));
  CHECK(names(refused([](IntegerNetwork& n) { n.layers[3].residual->stride = 2; }), "identity"));
  CHECK(names(refused([](IntegerNetwork& n) { n.tensors[0].shape.h = std::int64_t{1} << 40; }),
              "t0"));
  CHECK(names(refused([](IntegerNetwork& n) { n.tensors[0].precision.bits = 0; }), "t0"));
  CHECK(names(refused([](IntegerNetwork& n) { std::swap(n.layers[0], n.layers[1]); }),
              "before it is written"));
  CHECK(names(refused([](IntegerNetwork& n) { n.inputs[0].stores[0].codes.pop_back(); }), "table"));
  CHECK(names(refused([](IntegerNetwork& n) { n.outputs[0].tensor = 1000; }), "output"));
  CHECK(
      names(refused([](IntegerNetwork& n) { std::get<PoolOp>(n.layers[1].op).window.pad_top = 2; }),
            "padding"));
}

TEST_CASE("codes beyond a tensor's precision and missing tensors are refused",
          "[quant][executor]") {
  NetworkBuilder b = residual_network(Residual::Kind::kLowBit, Rounding::kHalfUp, 1);
  TensorCodes inputs = b.random_inputs(1);
  inputs[0][7] = 128;
  CHECK_THROWS_AS(execute(b.network, inputs, 1, {}), Error);
  inputs[0][7] = 127;
  CHECK_NOTHROW(execute(b.network, inputs, 1, {}));
  CHECK_THROWS_AS(execute(b.network, inputs, 2, {}), Error);
  CHECK_THROWS_AS(execute(b.network, {}, 1, {}), Error);
  CHECK_THROWS_AS(execute(b.network, inputs, std::int64_t{1} << 62, {}), Error);
  ExecuteOptions options;
  options.first_layer = 5;
  CHECK_THROWS_AS(execute(b.network, inputs, 1, options), Error);
}

}  // namespace
}  // namespace bitpulse
