// SPDX-License-Identifier: Apache-2.0
#include "quant/train/activation_sensitivity.h"

#include <cmath>

#include "quant/float/float_executor.h"
#include "testbench/quant/graphs.h"
#include "testbench/quant/train/torch_catch.h"

namespace bitpulse {

namespace {

const at::Device kCpu(at::kCPU);

at::Tensor spread(std::int64_t images, std::int64_t features) {
  return at::sin(at::arange(images * features, at::kFloat) * 1.7).reshape({images, features, 1, 1});
}

/// Two batches of unequal size.
std::vector<LabelledTensors> batches_of(const at::Tensor& images, std::int64_t classes) {
  const at::Tensor labels = at::arange(images.size(0), at::kLong).remainder(classes);
  const std::int64_t first = images.size(0) * 2 / 3, rest = images.size(0) - first;
  return {{images.narrow(0, 0, first), labels.narrow(0, 0, first)},
          {images.narrow(0, first, rest), labels.narrow(0, first, rest)}};
}

HutchinsonOptions vectors(std::int64_t draws) {
  HutchinsonOptions options;
  options.draws = draws;
  return options;
}

}  // namespace

TEST_CASE("a classifier's inputs have the trace of W^T (diag(p) - p p^T) W", "[train][hessian]") {
  constexpr std::int64_t kImages = 12, kFeatures = 10, kClasses = 4;
  SmallGraph g;
  const NodeId x = g.input({kFeatures, 1, 1});
  const NodeId fc = g.node("fc", Linear{kClasses, true}, {x});
  g.output(fc);
  const Graph graph = g.graph();
  TorchNetwork network(graph, seeded_weights(graph, {}, 3, 1), kCpu);
  const at::Tensor images = spread(kImages, kFeatures);

  const at::Tensor w = network.tensor("fc.weight").detach();
  const at::Tensor p = at::softmax(network.forward(images, false).detach().flatten(1), 1);
  double expected = 0;
  for (std::int64_t n = 0; n < kImages; ++n) {
    const at::Tensor inner = at::diag(p[n]) - at::outer(p[n], p[n]);
    expected += at::mm(at::mm(w.t(), inner), w).trace().item<double>() / kImages;
  }

  const ActivationTrace trace =
      activation_traces(network, {fc}, batches_of(images, kClasses), vectors(200), 1, {})[0];
  CHECK(trace.elements == kFeatures);
  CHECK(trace.estimate.draws == 200);
  CHECK(trace.estimate.standard_error > 0);
  CHECK(trace.estimate.standard_error < 0.05 * expected);
  CHECK(std::abs(trace.estimate.trace - expected) < 3 * trace.estimate.standard_error);
  CHECK(activation_loss(trace, 4) ==
        Approx(trace.estimate.trace / kFeatures * trace.squared_error.at(4)));
}

TEST_CASE("fewer bits of an activation cost more, and never nothing", "[train][hessian]") {
  SmallGraph g;
  const NodeId x = g.input({6, 1, 1});
  const NodeId a = g.node("a", Linear{8, true}, {x});
  const NodeId b = g.node("b", Linear{3, true}, {g.node("relu", Relu{}, {a})});
  g.output(b);
  const Graph graph = g.graph();
  TorchNetwork network(graph, seeded_weights(graph, {}, 5, 1), kCpu);
  const std::vector<LabelledTensors> batches = batches_of(spread(30, 6), 3);
  std::vector<std::int64_t> reported;
  const auto progress = [&](std::int64_t done, std::int64_t images) {
    CHECK(images == 30);
    reported.push_back(done);
  };
  const auto traces = activation_traces(network, {a, b}, batches, vectors(3), 1, progress);
  CHECK(reported.front() == 0);
  CHECK(reported.back() == 30);
  REQUIRE(traces.size() == 2);
  for (ActivationTrace trace : traces) {
    for (int bits = 3; bits <= 8; ++bits) {
      CHECK(trace.squared_error.at(bits) < trace.squared_error.at(bits - 1));
    }
    trace.estimate.trace = -1;
    CHECK(activation_loss(trace, 2) > 0);
  }
  CHECK(traces[1].elements == 8);
  const auto again = activation_traces(network, {a, b}, batches, vectors(3), 2, {});
  CHECK(again[1].estimate.trace == traces[1].estimate.trace);
  CHECK(again[1].squared_error == traces[1].squared_error);
}

}  // namespace bitpulse
