// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/hawq.h"

#include <algorithm>
#include <stdexcept>

#include "quant/evaluate.h"
#include "quant/float/float_executor.h"
#include "quant/methods/ptq.h"
#include "testbench/catch.h"
#include "testbench/quant/graphs.h"

namespace bitpulse {

namespace {

constexpr Precision kSigned8{8, true}, kUnsigned4{4, false}, kUnsigned2{2, false};

/// As a workload's JSON has it by default.
Workload hawq_resnet(std::uint8_t bits) {
  Workload workload = small_resnet().workload;
  QuantizationSpec& spec = workload.quantization;
  spec.method = "hawq";
  spec.weights = spec.activations = bits;
  spec.first_last = 8;
  spec.calibration = CalibrationRule::kMinMax;
  spec.widest_unsigned = 4;
  spec.narrow_range = spec.average_pool_floor = true;
  return workload;
}

struct Made {
  Workload workload;
  Weights weights;
  ImageSet images;
  IntegerNetwork network;

  explicit Made(const Workload& from)
      : workload(from),
        weights(seeded_weights(from.graph, from.data, 5, 2)),
        images(seeded_images({3, 8, 8}, 64, 7)) {
    network = quantize_ptq(workload, weights, images, 2);
  }
  const StoredTensor& tensor(const std::string& name) const {
    for (const StoredTensor& t : network.tensors)
      if (t.name == name) return t;
    throw std::runtime_error("no tensor " + name);
  }
};

}  // namespace

TEST_CASE("HAWQ-V3's activation scales: symmetric from 5 bits on, unsigned below",
          "[quant][hawq]") {
  CHECK(hawq_activation_scale({0, 6}, kSigned8) == 6.0f / 127);
  CHECK(hawq_activation_scale({-8, 6}, kSigned8) == 8.0f / 127);
  CHECK(hawq_activation_scale({-2, 3}, {16, true}) == 3.0f / 32767);
  CHECK(hawq_activation_scale({0, 6}, kUnsigned4) == 6.0f / 15);
  CHECK(hawq_activation_scale({0.5f, 6}, kUnsigned4) == 5.5f / 15);
  CHECK(hawq_activation_scale({0, 6}, kUnsigned2) == 2);
  CHECK(hawq_activation_scale({}, kSigned8) == 1e-8f / 127);
}

TEST_CASE("HAWQ-V3's weight scales span 2^(b-1) - 1 codes on either side", "[quant][hawq]") {
  const float weights[] = {0.25f, -1.5f, 1, 0};
  CHECK(hawq_weight_scale(weights, 4, 8) == 1.5f / 127);
  CHECK(hawq_weight_scale(weights, 4, 4) == 1.5f / 7);
  CHECK(hawq_weight_scale(weights, 4, 2) == 1.5f);
  CHECK(hawq_weight_scale(weights + 3, 1, 4) == 1e-8f / 7);
}

TEST_CASE("a range starts with the first batch and then averages", "[quant][hawq]") {
  HawqSpec spec;
  ValueRange range = hawq_next_range({}, {-1, 2}, spec);
  CHECK(range == ValueRange{-1, 2});
  range = hawq_next_range(range, {-3, 12}, spec);
  CHECK(range.min == Approx(-1.02));  // 0.99 x -1 + 0.01 x -3
  CHECK(range.max == Approx(2.1));
  range = hawq_next_range(range, {0, 0}, spec);
  CHECK(range.min == Approx(-1.0098));
  CHECK(range.max == Approx(2.079));
  spec.momentum = 0.5;
  CHECK(hawq_next_range({0, 2}, {0, 4}, spec) == ValueRange{0, 3});
  spec.range = HawqRange::kExtremes;
  CHECK(hawq_next_range({-1, 2}, {-0.5f, 3}, spec) == ValueRange{-1, 3});
}

TEST_CASE("a first batch of zeros leaves the range to the next one", "[quant][hawq]") {
  const HawqSpec spec;
  const ValueRange none = hawq_next_range({}, {0, 0}, spec);
  CHECK(hawq_next_range(none, {0, 5}, spec) == ValueRange{0, 5});
}

TEST_CASE("percentiles of a batch are values at counted places", "[quant][hawq]") {
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) values.push_back(static_cast<float>((i * 377) % 1000));
  CHECK(hawq_batch_range(values.data(), 1000, 100) == ValueRange{0, 999});
  CHECK(hawq_batch_range(values.data(), 1000, 99) == ValueRange{9, 989});  // the 10th and 990th
  CHECK(hawq_batch_range(values.data(), 1000, 99.95) == ValueRange{0, 999});
  CHECK(hawq_batch_range(values.data(), 1, 50) == ValueRange{0, 0});
}

TEST_CASE("8-bit activations are signed behind a ReLU, and use codes 0 to 127 there",
          "[quant][hawq]") {
  const Made made(hawq_resnet(8));
  const StoredTensor& tensor = made.tensor("b1.relu1:s8");
  CHECK(tensor.precision == kSigned8);
  for (const IntegerLayer& layer : made.network.layers) {
    if (layer.name != "b1.conv1") continue;
    REQUIRE(layer.stores.size() == 1);
    CHECK(layer.stores[0].clamp == CodeRange{0, 127});
  }
  const Made low(hawq_resnet(4));
  CHECK(low.tensor("b1.relu1:u4").precision == kUnsigned4);
}

TEST_CASE("scales of a network are those of its averaged batch ranges", "[quant][hawq]") {
  Workload workload = hawq_resnet(4);
  workload.quantization.hawq.batch = 16;
  workload.quantization.hawq.momentum = 0.75;
  const Made made(workload);
  NodeId relu = 0;
  while (workload.graph.nodes[static_cast<std::size_t>(relu)].name != "b1.relu1") ++relu;
  FloatExecutor executor(workload.graph, made.weights, 1);
  double expected = 0;
  for (std::int64_t first = 0; first < 64; first += 16)
    executor.run({normalize(made.images, first, 16, workload.data)},
                 [&](NodeId node, const FloatBatch& value) {
                   if (node != relu) return;
                   const double largest =
                       static_cast<double>(*std::max_element(value.data.begin(), value.data.end()));
                   expected = first == 0 ? largest : 0.75 * expected + 0.25 * largest;
                 });
  CHECK(made.tensor("b1.relu1:u4").scale == Approx(expected / 15).epsilon(1e-6));
  workload.quantization.calibration = CalibrationRule::kPercentile;
  workload.quantization.percentile = 90;
  CHECK(Made(workload).tensor("b1.relu1:u4").scale < 0.9 * expected / 15);
}

TEST_CASE("HAWQ-V3's integers equal their fake-quant twin on every element", "[quant][hawq]") {
  const int bits = GENERATE(2, 4, 8);
  CAPTURE(bits);
  const Made made(hawq_resnet(static_cast<std::uint8_t>(bits)));
  const Accuracy accuracy =
      evaluate(made.workload, made.weights, made.network, made.images, EvaluateOptions{});
  CHECK(accuracy.compared_elements > 20'000);
  CHECK(accuracy.differing_elements == 0);
  if (bits == 8) CHECK(accuracy.agreement >= 58);  // of 64
  for (const IntegerLayer& layer : made.network.layers) {
    const auto* gemm = std::get_if<GemmOp>(&layer.op);
    if (gemm == nullptr) continue;
    for (std::size_t i = 0; i < gemm->weights.size(); ++i)
      REQUIRE(gemm->weights[i] > -(1 << (gemm->weight_bits[0] - 1)));
  }
  for (const IntegerLayer& layer : made.network.layers)
    if (const auto* pool = std::get_if<PoolOp>(&layer.op)) CHECK(pool->floor_average);
}

}  // namespace bitpulse
