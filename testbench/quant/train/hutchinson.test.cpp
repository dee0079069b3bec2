// SPDX-License-Identifier: Apache-2.0
#include "quant/train/hutchinson.h"

#include "models/error.h"
#include "models/random.h"
#include "quant/float/float_executor.h"
#include "quant/train/checkpoint.h"
#include "quant/train/initial_weights.h"
#include "quant/train/network.h"
#include "quant/train/sensitivity.h"
#include "testbench/models/errors.h"
#include "testbench/quant/graphs.h"
#include "testbench/quant/train/stripes.h"
#include "testbench/quant/train/torch_catch.h"

namespace bitpulse {

namespace {

const at::Device kCpu(at::kCPU);
constexpr auto kBackward = HessianProduct::kDoubleBackward;
constexpr auto kDifference = HessianProduct::kFiniteDifference;

at::Tensor random_tensor(const std::vector<std::int64_t>& dims, std::uint64_t seed) {
  at::Tensor tensor = at::empty(dims, at::kFloat);
  RandomStream random{seed};
  for (std::int64_t i = 0; i < tensor.numel(); ++i)
    tensor.data_ptr<float>()[i] = static_cast<float>(random.normal());
  return tensor;
}

at::Tensor leaf(at::Tensor value) { return value.set_requires_grad(true); }

/// w^T A w / 2: its Hessian is the symmetric A.
SummedLoss quadratic(const at::Tensor& w, const at::Tensor& a) {
  return {1, [=](std::int64_t) { return at::dot(w, at::mv(a, w)) / 2; }};
}

HutchinsonOptions with(HessianProduct product, std::int64_t draws) {
  HutchinsonOptions options;
  options.product = product;
  options.draws = draws;
  options.tolerance = 0;
  options.step = 1e-3;
  return options;
}

/// A network whose loss is smooth: convolutions, batch norms, a pooling and a linear layer.
Graph smooth_network() {
  SmallGraph g;
  const NodeId x = g.input({3, 8, 8});
  const NodeId c1 = g.node("c1", Conv2d{6, {3, 3, 1, 1, 1, 1, 1, 1}}, {x});
  const NodeId n1 = g.norm("n1", c1);
  const NodeId c2 = g.node("c2", Conv2d{6, {3, 3, 2, 2, 1, 1, 1, 1}}, {n1});
  const NodeId n2 = g.norm("n2", c2);
  g.output(g.node("fc", Linear{4, true}, {g.node("pool", GlobalAvgPool{}, {n2})}));
  return g.graph();
}

constexpr const char* kPtq = R"({"method": "ptq", "weights": 4, "activations": 4})";

/// stripes() with weights in a file, which a sensitivity needs.
Workload stripes_with_weights(const TemporaryFolder& folder) {
  Workload workload = stripes(folder, kPtq);
  workload.weights_path = folder / "weights.safetensors";
  std::vector<NamedTensor> tensors;
  for (const auto& [name, value] : initial_weights(workload.graph, 3))
    tensors.push_back({name, to_tensor(value.data, value.dims, kCpu)});
  save_tensors(workload.weights_path, tensors, {});
  return workload;
}

SensitivityOptions few(HessianProduct product) {
  SensitivityOptions options;
  options.images = 48;
  options.batch = 32;
  options.hutchinson = with(product, 4);
  return options;
}

}  // namespace

TEST_CASE("one draw gives the trace of a diagonal Hessian exactly", "[train][hessian]") {
  const at::Tensor w = leaf(random_tensor({20}, 1));
  const at::Tensor diagonal = at::arange(1, 21, at::kFloat);
  const TraceEstimate estimate =
      hutchinson_traces({w}, quadratic(w, at::diag(diagonal)), with(kBackward, 1))[0];
  CHECK(estimate.trace == Approx(210).epsilon(1e-6));
  CHECK(estimate.draws == 1);
}

TEST_CASE("fifty draws meet a known trace within three standard errors", "[train][hessian]") {
  constexpr std::int64_t kSize = 200;
  const at::Tensor root = random_tensor({kSize, kSize}, 7);
  const at::Tensor a = at::mm(root, root.t()) / kSize;
  const double expected = a.trace().item<double>();
  const at::Tensor w = leaf(random_tensor({kSize}, 2));
  for (const HessianProduct product : {kBackward, kDifference}) {
    const TraceEstimate estimate = hutchinson_traces({w}, quadratic(w, a), with(product, 50))[0];
    CHECK(estimate.standard_error > 0);
    CHECK(estimate.standard_error < 0.05 * expected);
    CHECK(std::abs(estimate.trace - expected) < 3 * estimate.standard_error);
  }
}

TEST_CASE("the standard error is that of the draws", "[train][hessian]") {
  // H = [[0, 1], [1, 0]]: z^T H z is 2 or -2.
  const at::Tensor w = leaf(random_tensor({2}, 3));
  const at::Tensor a = at::ones({2, 2}) - at::eye(2);
  const TraceEstimate estimate = hutchinson_traces({w}, quadratic(w, a), with(kBackward, 400))[0];
  const double mean = estimate.trace, n = 400;
  CHECK(std::abs(mean) < 0.4);
  CHECK(estimate.standard_error == Approx(std::sqrt((4 - mean * mean) / (n - 1))));
}

TEST_CASE("blocks that interact have traces of their own", "[train][hessian]") {
  const at::Tensor u = leaf(random_tensor({6}, 4)), v = leaf(random_tensor({6}, 5));
  // Tr = 6 * 3 and 6 * 8; the product u v moves single draws, not the mean.
  const SummedLoss loss{2, [&](std::int64_t part) {
                          return part == 0 ? (u * u).sum() * 1.5 + (u * v).sum()
                                           : (v * v).sum() * 4;
                        }};
  const auto estimates = hutchinson_traces({u, v}, loss, with(kBackward, 200));
  CHECK(std::abs(estimates[0].trace - 18) <= 3 * estimates[0].standard_error);
  CHECK(std::abs(estimates[1].trace - 48) <= 3 * estimates[1].standard_error);
}

TEST_CASE("a negative trace does not end the draws early", "[train][hessian]") {
  const at::Tensor w = leaf(random_tensor({60}, 6));
  at::Tensor a = random_tensor({60, 60}, 8);
  a = (a + a.t()) / 2 - at::eye(60);
  HutchinsonOptions options = with(kBackward, 60);
  options.tolerance = 1e-4;  // about 1/n of the spread: not met by so few draws
  const TraceEstimate estimate = hutchinson_traces({w}, quadratic(w, a), options)[0];
  CHECK(estimate.trace < 0);
  CHECK(estimate.draws > 10);
  // Where every draw is the same, the rule ends them at once, negative or not.
  const at::Tensor negative = -at::eye(60);
  CHECK(hutchinson_traces({w}, quadratic(w, negative), options)[0].draws == 2);
}

TEST_CASE("a loss that is linear, or leaves a block out, has no curvature", "[train][hessian]") {
  const at::Tensor w = leaf(random_tensor({5}, 9)), unused = leaf(random_tensor({5}, 10));
  const SummedLoss linear{1, [&](std::int64_t) { return (w * 3).sum(); }};
  for (const TraceEstimate& estimate : hutchinson_traces({w, unused}, linear, with(kBackward, 3)))
    CHECK(estimate.trace == 0);
}

TEST_CASE("on a smooth network differences agree with double backward within 1 %",
          "[train][hessian]") {
  const Graph graph = smooth_network();
  TorchNetwork network(graph, seeded_weights(graph, {}, 3, 1), kCpu);
  const at::Tensor images = random_tensor({16, 3, 8, 8}, 11);
  const at::Tensor labels = at::arange(16, at::kLong).remainder(4);
  std::vector<at::Tensor> blocks;
  for (const char* name : {"c1.weight", "c2.weight", "fc.weight"})
    blocks.push_back(network.tensor(name));
  const std::vector<float> before = to_values(blocks[0]).data;
  const SummedLoss loss{1, [&](std::int64_t) {
                          return at::cross_entropy_loss(network.forward(images, false), labels);
                        }};
  const auto exact = hutchinson_traces(blocks, loss, with(kBackward, 5));
  const auto close = hutchinson_traces(blocks, loss, with(kDifference, 5));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    CAPTURE(i);
    CHECK(close[i].trace == Approx(exact[i].trace).epsilon(0.01));
  }
  CHECK((to_values(blocks[0]).data == before));
}

TEST_CASE("sensitivities depend on the seed alone and leave batch norms as they are",
          "[train][hessian]") {
  const TemporaryFolder folder;
  const Workload workload = stripes_with_weights(folder);
  SensitivityOptions options = few(kBackward);
  const Sensitivity first = sensitivity_of(workload, options);
  CHECK(first.images == 48);
  REQUIRE(first.layers.size() == 3);
  CHECK(first.layers[0].name == "c1");
  CHECK(first.layers[0].parameters == 72);
  CHECK(first.layers[2].name == "fc");
  const std::string text = to_json(first, workload, options);
  CHECK(to_json(sensitivity_of(workload, options), workload, options) == text);
  options.hutchinson.seed = 2;
  CHECK(to_json(sensitivity_of(workload, options), workload, options) != text);
  // Batch statistics would make the loss depend on how images are batched.
  SensitivityOptions whole = few(kBackward);
  whole.batch = 48;
  const Sensitivity other = sensitivity_of(workload, whole);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(other.layers[i].estimate.trace == Approx(first.layers[i].estimate.trace).epsilon(1e-3));
}

TEST_CASE("a sensitivity file says per parameter what was estimated", "[train][hessian]") {
  const TemporaryFolder folder;
  const Workload workload = stripes_with_weights(folder);
  const SensitivityOptions options = few(kBackward);
  const Sensitivity sensitivity = sensitivity_of(workload, options);
  const JsonValue json = parse_json(to_json(sensitivity, workload, options), "file");
  json.require_schema("bitpulse/hessian/1");
  json.only_keys({"schema", "network", "weights_sha256", "images", "seed", "method", "layers"});
  CHECK(json.at("weights_sha256").text().size() == 64);
  CHECK(json.at("method").text() == "double_backward");
  const JsonValue layer = json.at("layers")[1];
  layer.only_keys({"name", "parameters", "trace", "standard_error", "draws"});
  const TraceEstimate& estimate = sensitivity.layers[1].estimate;
  CHECK(layer.at("name").text() == "c2");
  CHECK(layer.at("trace").number(-1e9, 1e9) == estimate.trace);
  CHECK(layer.at("standard_error").number(0, 1e9) == estimate.standard_error);
  CHECK(layer.at("draws").integer(1, 100) == 4);
}

TEST_CASE("traces of weights are taken from a file as if they were estimated again",
          "[train][hessian]") {
  const TemporaryFolder folder;
  const Workload workload = stripes_with_weights(folder);
  SensitivityOptions options = few(kBackward);
  const std::string alone = to_json(sensitivity_of(workload, options), workload, options);
  options.activation_draws = 2;
  const std::string both = to_json(sensitivity_of(workload, options), workload, options);
  options.traces = parse_json(alone, "alone");
  options.hutchinson.progress = [](std::int64_t) { FAIL("weights are estimated"); };
  CHECK(to_json(sensitivity_of(workload, options), workload, options) == both);

  const auto refuses = [&](const std::string& part, const std::string& other, const char* why) {
    std::string text = alone;
    text.replace(text.find(part), part.size(), other);
    options.traces = parse_json(text, "other");
    CHECK_REFUSED(sensitivity_of(workload, options), ErrorKind::kInvalidInput, why);
  };
  refuses("\"images\": 48", "\"images\": 47", "at /images");
  refuses("\"seed\": ", "\"seed\": 9", "that of the same seed");
  refuses("\"c2\"", "\"c3\"", "that of the same network");
}

TEST_CASE("a network without weights or labels has no sensitivity", "[train][hessian][bad]") {
  const TemporaryFolder folder;
  Workload workload = stripes(folder, kPtq);
  CHECK_REFUSED(sensitivity_of(workload, few(kBackward)), ErrorKind::kInvalidInput, "weights");
  workload = stripes_with_weights(folder);
  workload.weights_path = folder / "none.safetensors";
  CHECK_REFUSED(sensitivity_of(workload, few(kBackward)), ErrorKind::kInvalidInput, "none");
}

}  // namespace bitpulse
