// SPDX-License-Identifier: Apache-2.0
#include "quant/train/network.h"

#include "models/nets/nets.h"
#include "quant/float/float_executor.h"
#include "quant/train/initial_weights.h"
#include "testbench/models/errors.h"
#include "testbench/quant/graphs.h"
#include "testbench/quant/train/torch_catch.h"

namespace bitpulse {

namespace {

const at::Device kCpu(at::kCPU);

/// Largest difference of torch's output and the float executor's, relative to the largest output.
double difference(const Graph& graph, const DataSpec& data) {
  const Weights weights = seeded_weights(graph, data, 3, 1);
  const Shape& shape = graph.nodes[static_cast<std::size_t>(graph.inputs[0])].shape;
  const FloatBatch inputs = normalize(seeded_images(shape, 3, 5), 0, 3, data);
  const FloatBatch expected = FloatExecutor(graph, weights, 1).run({inputs})[0];
  TorchNetwork network(graph, weights, kCpu);
  const at::NoGradGuard no_gradients;
  const Tensor<float> found = to_values(
      network.forward(to_tensor(inputs.data, {3, shape.c, shape.h, shape.w}, kCpu), false));
  REQUIRE(found.data.size() == expected.data.size());
  double largest = 0, apart = 0;
  for (std::size_t i = 0; i < found.data.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(expected.data[i])));
    apart = std::max(apart, std::abs(static_cast<double>(found.data[i] - expected.data[i])));
  }
  REQUIRE(largest > 0);
  return apart / largest;
}

}  // namespace

TEST_CASE("torch computes what the float executor computes on whole networks", "[train][float]") {
  const char* name = GENERATE("resnet20-cifar", "resnet8-cifar", "mlp-mnist");
  CAPTURE(name);
  CHECK(difference(build_network(name), {}) < 1e-4);
}

TEST_CASE("torch computes every layer kind as the float executor does", "[train][float]") {
  SmallGraph g;
  const NodeId x = g.input({4, 12, 12});
  const NodeId grouped = g.node("grouped", Conv2d{8, {3, 2, 1, 1, 0, 2, 2, 0, 1, 2}, 2, true}, {x});
  const NodeId norm = g.norm("norm", grouped);
  const NodeId leaky = g.node("leaky", LeakyRelu{0.1}, {norm});
  const NodeId reorg = g.node("reorg", Reorg{2}, {leaky});
  const NodeId max = g.node("max", MaxPool{{3, 3, 2, 2, 1, 0, 0, 1, 1, 1}, true}, {leaky});
  const NodeId average = g.node("average", AvgPool{{2, 3, 2, 2, 0, 0, 1, 0}}, {leaky});
  const NodeId wide = g.node("wide", AvgPool{{2, 2, 1, 1, 0, 0, 0, 0}}, {leaky});
  const NodeId slice = g.node("slice", SlicePad{2, 3, 1}, {wide});
  const NodeId relu6 = g.node("relu6", Relu{6}, {slice});
  std::vector<NodeId> heads;
  for (const NodeId head : {reorg, max, average, relu6}) {
    const std::string name = "pool" + std::to_string(head);
    heads.push_back(g.node(name, GlobalAvgPool{}, {head}));
  }
  const NodeId joined = g.node("joined", Concat{}, heads);
  const NodeId flat = g.node("flat", Flatten{}, {joined});
  g.output(g.node("gemm", Gemm{3}, {g.node("fc", Linear{5, true}, {flat})}));
  CHECK(difference(g.graph(), {}) < 1e-4);
  CHECK(difference(small_resnet().graph(), {}) < 1e-4);
}

TEST_CASE("weights come back from torch bit for bit under their names", "[train][float]") {
  const Graph graph = small_resnet().graph();
  const Weights weights = seeded_weights(graph, {}, 1, 1);
  const Weights back = TorchNetwork(graph, weights, kCpu).weights();
  REQUIRE(back.size() == weights.size());
  for (const auto& [name, tensor] : weights) {
    CAPTURE(name);
    REQUIRE(back.count(name) == 1);
    CHECK(back.at(name).dims == tensor.dims);
    CHECK(back.at(name).data == tensor.data);
  }
}

TEST_CASE("weights that do not fit the graph are refused by name and shape", "[train][bad]") {
  const Graph graph = small_resnet().graph();
  Weights weights = initial_weights(graph, 1);
  weights["conv1.weight"].dims = {8, 3, 3, 2};
  CHECK_REFUSED(TorchNetwork(graph, weights, kCpu), ErrorKind::kInvalidInput, "conv1.weight",
                "[8, 3, 3, 2]", "[8, 3, 3, 3]");
  weights.erase("conv1.weight");
  CHECK_REFUSED(TorchNetwork(graph, weights, kCpu), ErrorKind::kInvalidInput, "conv1.weight",
                "missing");
}

}  // namespace bitpulse
