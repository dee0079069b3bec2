// SPDX-License-Identifier: Apache-2.0
#include "quant/float/float_executor.h"

#include <cmath>
#include <random>

#include "models/error.h"
#include "quant/float/normalization.h"
#include "quant/float/operations.h"
#include "testbench/catch.h"
#include "testbench/quant/graphs.h"

namespace bitpulse {

namespace {

std::vector<float> random_values(std::int64_t count, std::mt19937& random) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 1000.0f);
  return values;
}

FloatBatch random_batch(const Shape& shape, std::int64_t images, unsigned seed) {
  std::mt19937 random(seed);
  return {images, shape, random_values(images * shape.elements(), random)};
}

/// The definition, in double.
std::vector<double> convolve(const FloatBatch& in, const Shape& out, const Window& w,
                             std::int64_t groups, const std::vector<float>& weights) {
  std::vector<double> result;
  const std::int64_t in_per = in.shape.c / groups, out_per = out.c / groups;
  for (std::int64_t b = 0; b < in.batch; ++b)
    for (std::int64_t o = 0; o < out.c; ++o)
      for (std::int64_t y = 0; y < out.h; ++y)
        for (std::int64_t x = 0; x < out.w; ++x) {
          double sum = 0;
          for (std::int64_t i = 0; i < in_per; ++i)
            for (std::int64_t ky = 0; ky < w.kernel_h; ++ky)
              for (std::int64_t kx = 0; kx < w.kernel_w; ++kx) {
                const std::int64_t row = y * w.stride_h - w.pad_top + ky * w.dilation_h;
                const std::int64_t col = x * w.stride_w - w.pad_left + kx * w.dilation_w;
                if (row < 0 || row >= in.shape.h || col < 0 || col >= in.shape.w) continue;
                const std::int64_t c = o / out_per * in_per + i;
                sum += static_cast<double>(in.data[static_cast<std::size_t>(
                           ((b * in.shape.c + c) * in.shape.h + row) * in.shape.w + col)]) *
                       static_cast<double>(weights[static_cast<std::size_t>(
                           ((o * in_per + i) * w.kernel_h + ky) * w.kernel_w + kx)]);
              }
          result.push_back(sum);
        }
  return result;
}

std::vector<FloatBatch> run(const SmallGraph& g, const Weights& weights, const FloatBatch& in,
                            int threads = 1) {
  return FloatExecutor(g.workload.graph, weights, threads).run({in});
}

}  // namespace

TEST_CASE("convolutions with groups, dilation and uneven pads follow their definition",
          "[quant][float]") {
  struct Case {
    Shape in;
    std::int64_t out_channels, groups;
    Window window;
  };
  const Case cases[] = {
      {{3, 9, 7}, 5, 1, {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}},
      {{4, 9, 8}, 6, 2, {3, 2, 2, 1, 0, 1, 0, 2, 1, 1}},
      {{6, 8, 8}, 6, 6, {3, 3, 1, 2, 2, 1, 0, 1, 1, 1}},
      {{5, 12, 12}, 4, 1, {3, 3, 1, 1, 2, 3, 1, 0, 2, 3}},
      {{16, 6, 6}, 32, 1, {1, 1, 2, 2, 0, 0, 0, 0, 1, 1}},
      {{32, 5, 5}, 16, 4, {5, 5, 1, 1, 2, 2, 2, 2, 1, 1}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.in.c, c.in.h, c.groups, c.window.kernel_h);
    SmallGraph g;
    const NodeId conv =
        g.node("c", Conv2d{c.out_channels, c.window, c.groups, false}, {g.input(c.in)});
    g.output(conv);
    std::mt19937 random(7);
    Weights weights;
    const std::vector<std::int64_t> dims{c.out_channels, c.in.c / c.groups, c.window.kernel_h,
                                         c.window.kernel_w};
    weights["c.weight"] = {dims, random_values(dims[0] * dims[1] * dims[2] * dims[3], random)};
    const FloatBatch in = random_batch(c.in, 6, 3);
    const FloatBatch out = run(g, weights, in)[0];
    const auto expected = convolve(in, g.shape(conv), c.window, c.groups, weights["c.weight"].data);
    REQUIRE(out.data.size() == expected.size());
    double worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(out.data[i]) - expected[i]));
    CHECK(worst < 1e-4);  // float sums of at most 200 products of magnitude 1
  }
}

TEST_CASE("linear flattens C, H, W; gemm multiplies M x K by K x N", "[quant][float]") {
  SmallGraph g;
  SECTION("linear") {
    g.output(g.node("fc", Linear{2, true}, {g.node("f", Flatten{}, {g.input({2, 1, 2})})}));
    Weights weights;
    weights["fc.weight"] = {{2, 4}, {1, 2, 3, 4, 0, 0, 1, 0}};
    weights["fc.bias"] = {{2}, {10, 20}};
    CHECK(run(g, weights, {1, {2, 1, 2}, {1, 10, 100, 1000}})[0].data ==
          std::vector<float>{4331, 120});
  }
  SECTION("gemm") {
    g.output(g.node("g", Gemm{2}, {g.input({3, 2, 1})}));
    Weights weights;
    weights["g.weight"] = {{2, 3}, {1, 2, 3, 1, 0, 0}};
    // K = 3 planes of M = 2 rows.
    CHECK(run(g, weights, {1, {3, 2, 1}, {1, 2, 10, 20, 100, 200}})[0].data ==
          std::vector<float>{321, 642, 1, 2});
  }
}

TEST_CASE("batch norm uses running statistics and eps", "[quant][float]") {
  SmallGraph g;
  const NodeId conv = g.conv("c", g.input({1, 1, 1}), 1, 1);
  g.output(g.node("bn", BatchNorm{0.25}, {conv}));
  Weights weights;
  weights["c.weight"] = {{1, 1, 1, 1}, {2}};
  weights["bn.weight"] = {{1}, {-3}};
  weights["bn.bias"] = {{1}, {5}};
  weights["bn.running_mean"] = {{1}, {1}};
  weights["bn.running_var"] = {{1}, {3.75}};
  CHECK(run(g, weights, {1, {1, 1, 1}, {4}})[0].data[0] == Approx((8 - 1) / 2.0 * -3 + 5));
}

TEST_CASE("pools: padding is never the maximum, and is averaged as zero", "[quant][float]") {
  const FloatBatch in{1, {1, 2, 2}, {-1, -2, -3, -4}};
  const Window window{2, 2, 1, 1, 1, 1, 1, 1, 1, 1};
  const Shape out{1, 3, 3};
  CHECK(max_pool(in, window, out, 1).data ==
        std::vector<float>{-1, -1, -2, -1, -1, -2, -3, -3, -4});
  CHECK(average_pool(in, window, out, 1).data ==
        std::vector<float>{-0.25f, -0.75f, -0.5f, -1, -2.5f, -1.5f, -0.75f, -1.75f, -1});
}

TEST_CASE("a max-pool in ceil mode covers the last column", "[quant][float]") {
  SmallGraph g;
  g.output(g.node("p", MaxPool{SmallGraph::square(2, 2, 0), true}, {g.input({1, 3, 3})}));
  CHECK(run(g, {}, {1, {1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}})[0].data ==
        std::vector<float>{5, 6, 8, 9});
}

TEST_CASE("reorg puts output channel (dy * s + dx) * C + c at input (c, y*s + dy, x*s + dx)",
          "[quant][float]") {
  const FloatBatch in = random_batch({3, 4, 6}, 2, 1);
  const Shape shape{12, 2, 3};
  const FloatBatch out = reorg(in, 2, shape);
  for (std::int64_t b = 0; b < 2; ++b)
    for (std::int64_t c = 0; c < 3; ++c)
      for (std::int64_t y = 0; y < 4; ++y)
        for (std::int64_t x = 0; x < 6; ++x) {
          const std::int64_t channel = (y % 2 * 2 + x % 2) * 3 + c;
          CHECK(out.data[static_cast<std::size_t>(((b * 12 + channel) * 2 + y / 2) * 3 + x / 2)] ==
                in.data[static_cast<std::size_t>(((b * 3 + c) * 4 + y) * 6 + x)]);
        }
}

TEST_CASE("slice-and-pad takes every stride-th pixel between zero channels", "[quant][float]") {
  const FloatBatch in{1, {1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}};
  const FloatBatch out = slice_pad(in, {2, 1, 1}, {3, 2, 2});
  CHECK(out.data == std::vector<float>{0, 0, 0, 0, 1, 3, 7, 9, 0, 0, 0, 0});
}

TEST_CASE("activations compose in order", "[quant][float]") {
  const Activation leaky{0.5}, relu{0}, relu6{0, 6};
  const auto values = [](const Activation& a) {
    return activate({1, {1, 1, 3}, {-4, 2, 8}}, a, 1).data;
  };
  CHECK(values(leaky) == std::vector<float>{-2, 2, 8});
  CHECK(values(relu6) == std::vector<float>{0, 2, 6});
  CHECK(leaky.then(leaky) == Activation{0.25});
  CHECK(leaky.then(relu) == relu);
  CHECK(relu6.then(leaky) == relu6);
}

TEST_CASE("seeded weights and their outputs do not depend on the thread count",
          "[quant][float][determinism]") {
  const SmallGraph g = small_resnet();
  const Weights one = seeded_weights(g.workload.graph, g.workload.data, 5, 1);
  const Weights three = seeded_weights(g.workload.graph, g.workload.data, 5, 3);
  REQUIRE(one.size() == three.size());
  for (const auto& [name, tensor] : one) {
    CAPTURE(name);
    CHECK(tensor.data == three.at(name).data);
  }
  const FloatBatch in = random_batch({3, 8, 8}, 11, 2);
  CHECK(run(g, one, in, 1)[0].data == run(g, one, in, 3)[0].data);
  CHECK(one.at("conv1.weight").data !=
        seeded_weights(g.workload.graph, g.workload.data, 6, 1).at("conv1.weight").data);
}

TEST_CASE("seeded weights are He normal and measured batch norms have unit outputs",
          "[quant][float]") {
  SmallGraph g;
  const NodeId a = g.conv("c", g.input({32, 16, 16}), 64);
  const NodeId bn = g.norm("bn", a);
  g.output(bn);
  const Weights weights = seeded_weights(g.workload.graph, g.workload.data, 1, 2);
  double sum = 0, squares = 0;
  const auto& values = weights.at("c.weight").data;
  for (const float v : values) sum += v, squares += static_cast<double>(v) * v;
  const auto count = static_cast<double>(values.size());  // 18432: standard errors 0.7 % and 1 %
  CHECK(std::abs(sum / count) < 4 * std::sqrt(2.0 / 288 / count));
  CHECK(squares / count == Approx(2.0 / 288).epsilon(0.05));
  const ImageSet images = seeded_images({32, 16, 16}, 32, 1);
  const FloatBatch out = run(g, weights, normalize(images, 0, 32, g.workload.data))[0];
  const ChannelStatistics statistics = channel_statistics(out, 1);
  for (std::size_t c = 0; c < 64; ++c) {
    const double gamma = weights.at("bn.weight").data[c], beta = weights.at("bn.bias").data[c];
    CHECK(statistics.mean[c] == Approx(beta).margin(0.02));
    CHECK(std::sqrt(statistics.variance[c]) == Approx(std::abs(gamma)).epsilon(0.02));
  }
}

TEST_CASE("the observer sees every node once, in order, whole", "[quant][float]") {
  SmallGraph g = small_resnet();
  const Weights weights = seeded_weights(g.workload.graph, g.workload.data, 5, 1);
  std::vector<NodeId> seen;
  FloatExecutor executor(g.workload.graph, weights, 1);
  executor.run({random_batch({3, 8, 8}, 1, 2)}, [&](NodeId id, const FloatBatch& value) {
    seen.push_back(id);
    CHECK(value.data.size() == static_cast<std::size_t>(value.batch * value.shape.elements()));
  });
  REQUIRE(seen.size() == g.workload.graph.nodes.size());
  CHECK(std::is_sorted(seen.begin(), seen.end()));
}

TEST_CASE("weights that do not fit are refused by tensor and node", "[quant][float]") {
  SmallGraph g;
  g.output(g.conv("c", g.input({2, 4, 4}), 3));
  Weights weights;
  const auto message = [&] {
    try {
      FloatExecutor(g.workload.graph, weights, 1);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message().find("'c.weight' of node 'c' (conv2d): missing") != std::string::npos);
  weights["c.weight"] = {{3, 2, 3, 1}, std::vector<float>(18)};
  CHECK(message().find("found [3, 2, 3, 1], expected [3, 2, 3, 3]") != std::string::npos);
  weights["c.weight"] = {{3, 2, 3, 3}, std::vector<float>(54)};
  CHECK(message().empty());
  weights["c.weight"].data[7] = NAN;
  CHECK(message().find("not finite") != std::string::npos);
}

}  // namespace bitpulse
