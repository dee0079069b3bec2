// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/bn_fold.h"

#include <cmath>

#include "quant/float/float_executor.h"
#include "testbench/catch.h"
#include "testbench/quant/graphs.h"

namespace bitpulse {

namespace {

void set(Weights& weights, const std::string& name, std::vector<std::int64_t> dims,
         std::vector<float> values) {
  weights[name] = {std::move(dims), std::move(values)};
}

}  // namespace

TEST_CASE("a folded convolution equals convolution and batch norm, negative gamma included",
          "[quant][bn-fold]") {
  SmallGraph g;
  const NodeId x = g.input({3, 6, 5});
  g.output(g.norm("bn", g.node("c", Conv2d{4, SmallGraph::square(3, 1, 1), 1, true}, {x})));
  Weights weights = seeded_weights(g.workload.graph, g.workload.data, 3, 1);
  weights["bn.weight"].data = {-1.5f, 0.7f, 0, 2};
  weights["bn.running_var"].data[1] = 1e-6f;

  const Lowering lowering = lower_with_origins(g.workload);
  const FoldedGemm folded = fold_batch_norms(g.workload.graph, lowering, 0, weights);
  REQUIRE(folded.channels() == 4);
  REQUIRE(folded.per_channel() == 27);

  const ImageSet images = seeded_images({3, 6, 5}, 1, 8);
  const FloatBatch in = normalize(images, 0, 1, g.workload.data);
  const FloatBatch out = FloatExecutor(g.workload.graph, weights, 1).run({in})[0];
  const auto at = [&](std::int64_t c, std::int64_t y, std::int64_t x_) {
    return y < 0 || y >= 6 || x_ < 0 || x_ >= 5
               ? 0.0
               : static_cast<double>(in.data[static_cast<std::size_t>((c * 6 + y) * 5 + x_)]);
  };
  for (std::size_t o = 0; o < 4; ++o)
    for (std::int64_t y = 0; y < 6; ++y)
      for (std::int64_t col = 0; col < 5; ++col) {
        double sum = folded.bias[o];
        std::size_t w = o * 27;  // [kh][kw][in]
        for (std::int64_t ky = -1; ky <= 1; ++ky)
          for (std::int64_t kx = -1; kx <= 1; ++kx)
            for (std::int64_t c = 0; c < 3; ++c)
              sum += static_cast<double>(folded.weights[w++]) * at(c, y + ky, col + kx);
        const auto expected =
            static_cast<double>(out.data[o * 30 + static_cast<std::size_t>(y * 5 + col)]);
        CHECK(sum == Approx(expected).epsilon(1e-4).margin(1e-3));
      }
}

TEST_CASE("linear weights over C, H, W become H, W, C", "[quant][bn-fold]") {
  SmallGraph g;
  const NodeId a = g.conv("c", g.input({1, 1, 3}), 2, 1);
  g.output(g.node("fc", Linear{1, false}, {g.node("f", Flatten{}, {a})}));
  Weights weights;
  set(weights, "c.weight", {2, 1, 1, 1}, {1, 1});
  set(weights, "fc.weight", {1, 6}, {1, 2, 3, 4, 5, 6});  // c0: 1 2 3, c1: 4 5 6
  const Lowering lowering = lower_with_origins(g.workload);
  const auto folded = fold_batch_norms(g.workload.graph, lowering, 1, weights);
  CHECK(folded.weights == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(folded.bias == std::vector<double>{0});
}

TEST_CASE("two batch norms in a row fold in order", "[quant][bn-fold]") {
  SmallGraph g;
  const NodeId a = g.conv("c", g.input({1, 1, 1}), 1, 1);
  g.output(g.node("b2", BatchNorm{1}, {g.node("b1", BatchNorm{1}, {a})}));
  Weights weights;
  set(weights, "c.weight", {1, 1, 1, 1}, {3});
  const auto norm = [&](const std::string& name, float gamma, float beta, float mean, float var) {
    set(weights, name + ".weight", {1}, {gamma});
    set(weights, name + ".bias", {1}, {beta});
    set(weights, name + ".running_mean", {1}, {mean});
    set(weights, name + ".running_var", {1}, {var});
  };
  norm("b1", 2, 1, 5, 3);   // y = (x - 5) / 2 * 2 + 1 = x - 4
  norm("b2", -1, 7, 2, 0);  // z = -(y - 2) + 7 = -x + 13
  const auto folded =
      fold_batch_norms(g.workload.graph, lower_with_origins(g.workload), 0, weights);
  CHECK(folded.weights[0] == -3);
  CHECK(folded.bias[0] == 13);
}

}  // namespace bitpulse
