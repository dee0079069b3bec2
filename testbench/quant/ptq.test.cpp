// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/ptq.h"

#include <cmath>
#include <filesystem>

#include "models/error.h"
#include "quant/compare.h"
#include "quant/evaluate.h"
#include "quant/float/float_executor.h"
#include "quant/inputs.h"
#include "quant/integer/network_io.h"
#include "quant/integer/twin.h"
#include "testbench/catch.h"
#include "testbench/quant/graphs.h"
#include "testbench/quant/structure.h"

namespace bitpulse {

namespace {

struct Quantized {
  Workload workload;
  Weights weights;
  ImageSet images;
  IntegerNetwork network;
};

Quantized quantize(const SmallGraph& g, int threads = 2) {
  Quantized q;
  q.workload = g.workload;
  q.weights = seeded_weights(g.workload.graph, g.workload.data, g.workload.seed, threads);
  const NodeId first = g.workload.graph.inputs[0];
  q.images = seeded_images(g.shape(first), 128, 77);
  q.network = quantize_ptq(q.workload, q.weights, q.images, threads);
  return q;
}

LayerComparison compare(const Quantized& q) {
  return compare_layers(q.workload, q.weights, q.network, q.images, 16, 10, 2);
}

double sqnr(const Quantized& q, const std::string& tensor) {
  for (const TensorComparison& t : compare(q).tensors)
    if (t.tensor == tensor) return t.sqnr_db;
  throw std::runtime_error("no tensor " + tensor);
}

void check_equals_twin(const Quantized& q) {
  const TensorCodes inputs = input_codes(q.workload, q.network, q.images, 0, 12);
  ExecuteOptions options;
  options.keep_all_tensors = true;
  const ExecuteResult result = execute(q.network, inputs, 12, options);
  const TensorCodes twin = run_twin(q.network, inputs, 12);
  for (std::size_t t = 0; t < twin.size(); ++t) {
    CAPTURE(q.network.tensors[t].name);
    CHECK(result.tensors[t] == twin[t]);
    CHECK_FALSE(twin[t].empty());
  }
}

/// A network with every kind of layer that lowering knows.
SmallGraph everything() {
  SmallGraph g;
  const NodeId x = g.input({3, 16, 16});
  const NodeId stem = g.node("stem.relu", Relu{6.0}, {g.norm("stem.bn", g.conv("stem", x, 8))});
  const NodeId leaky = g.node("leaky", LeakyRelu{0.1}, {g.norm("l.bn", g.conv("l", stem, 8))});
  const NodeId deep = g.relu("d.relu", g.conv("d", g.max_pool("pool", leaky), 16));
  const NodeId depthwise = g.relu("dw.relu", g.conv("dw", deep, 16, 3, 1, 16));
  const NodeId average = g.node("avg", AvgPool{SmallGraph::square(3, 1, 1)}, {depthwise});
  const NodeId both =
      g.node("cat", Concat{}, {g.node("reorg", Reorg{2}, {leaky}), average, depthwise});
  const NodeId a = g.relu("a.relu", g.conv("a", both, 12));
  const NodeId sum = g.relu("sum.relu", g.add("sum", g.norm("b.bn", g.conv("b", a, 12)), a));
  const NodeId twice = g.add("twice", sum, a);
  g.output(g.node("fc", Linear{10, true}, {g.node("flat", Flatten{}, {g.max_pool("p2", twice)})}));
  return g;
}

}  // namespace

TEST_CASE("the integer network equals its fake-quant twin on every element",
          "[quant][ptq][exact]") {
  SmallGraph g = GENERATE(0, 1) == 0 ? small_resnet() : everything();
  auto& spec = g.workload.quantization;
  SECTION("8 bits") {}
  SECTION("4 bits") { spec.weights = spec.activations = 4; }
  SECTION("2 bits, first and last 8, half even") {
    spec.weights = spec.activations = 2;
    spec.first_last = 8;
    spec.rounding = Rounding::kHalfEven;
  }
  SECTION("16-bit weights, half away") {
    spec.weights = 16;
    spec.rounding = Rounding::kHalfAway;
  }
  SECTION("8-bit multipliers") { spec.multiplier = MultiplierStyle::kLlsq8; }
  check_equals_twin(quantize(g));
}

TEST_CASE("low-bit residuals equal their twin", "[quant][ptq][exact]") {
  SmallGraph g = small_resnet();
  g.workload.quantization.residual = ResidualStyle::kLowBit;
  g.workload.quantization.weights = g.workload.quantization.activations =
      GENERATE(as<std::uint8_t>(), 8, 4);
  g.workload.quantization.multiplier =
      GENERATE(MultiplierStyle::kDyadic31, MultiplierStyle::kLlsq8);
  check_equals_twin(quantize(g));
}

TEST_CASE("sums without a convolution equal their twin at low width", "[quant][ptq][exact]") {
  SmallGraph g = everything();
  g.workload.quantization.residual = ResidualStyle::kLowBit;
  g.workload.quantization.activations = 5;
  const Quantized q = quantize(g);
  check_equals_twin(q);
  CHECK(sqnr(q, "fc:s32") > 6);
}

TEST_CASE("8-bit outputs are close to float, and fewer bits are farther", "[quant][ptq]") {
  const auto at_bits = [](SmallGraph g, std::uint8_t bits) {
    g.workload.quantization.weights = g.workload.quantization.activations = bits;
    return sqnr(quantize(g), "fc:s32");
  };
  for (const SmallGraph& g : {small_resnet(), everything()}) {
    const double eight = at_bits(g, 8), four = at_bits(g, 4), two = at_bits(g, 2);
    CAPTURE(eight, four, two);
    CHECK(eight > 28);
    CHECK(four > 6);
    CHECK(eight > four + 12);
    CHECK(four > two);
  }
}

TEST_CASE("every method option keeps the 8-bit network close to float", "[quant][ptq]") {
  SmallGraph g = small_resnet();
  auto& spec = g.workload.quantization;
  SECTION("min/max") { spec.calibration = CalibrationRule::kMinMax; }
  SECTION("percentile") { spec.calibration = CalibrationRule::kPercentile; }
  SECTION("narrow range") { spec.narrow_range = true; }
  SECTION("low-bit residual") { spec.residual = ResidualStyle::kLowBit; }
  SECTION("floor of averages") { spec.average_pool_floor = true; }
  SECTION("bias correction") { spec.bias_correction = true; }
  const Quantized q = quantize(g);
  CHECK(sqnr(q, "fc:s32") > 24);
  check_equals_twin(q);
}

TEST_CASE("batch norms measured again on the same images change little at 8 bits", "[quant][ptq]") {
  Quantized q = quantize(small_resnet());
  measure_batch_norms(q.workload.graph, q.weights,
                      float_inputs(q.workload, q.images, 0, q.images.count), 2);
  const auto with = [&q](bool again) {
    q.workload.quantization.bn_reestimation = again;
    q.network = quantize_ptq(q.workload, q.weights, q.images, 2);
    check_equals_twin(q);
    return sqnr(q, "fc:s32");
  };
  const double before = with(false), after = with(true);
  CAPTURE(before, after);
  CHECK(after > before - 3);
  // With statistics that are plain wrong it repairs the network.
  for (float& v : q.weights["b3.bn1.running_var"].data) v *= 4;
  for (float& v : q.weights["b3.bn1.running_mean"].data) v += 0.5f;
  const IntegerNetwork repaired = quantize_ptq(q.workload, q.weights, q.images, 2);
  const auto& right = std::get<GemmOp>(q.network.layers[5].op);
  const auto& op = std::get<GemmOp>(repaired.layers[5].op);
  REQUIRE(q.network.layers[5].name == "b3.conv1");
  CHECK(op.weights.narrow == right.weights.narrow);
  for (std::size_t c = 0; c < op.bias.size(); ++c)
    CHECK(op.bias[c] == Approx(right.bias[c]).margin(200).epsilon(0.02));
}

TEST_CASE("narrow range leaves the lowest weight code out", "[quant][ptq]") {
  SmallGraph g = small_resnet();
  g.workload.quantization.weights = 2;
  g.workload.quantization.narrow_range = true;
  for (const IntegerLayer& layer : quantize(g).network.layers)
    if (const auto* op = std::get_if<GemmOp>(&layer.op))
      for (std::size_t i = 0; i < op->weights.size(); ++i) REQUIRE(op->weights[i] >= -1);
}

TEST_CASE("bias correction and batch-norm re-estimation repair 3-bit channels", "[quant][ptq]") {
  SmallGraph g = small_resnet();
  auto& spec = g.workload.quantization;
  spec.weights = spec.activations = 3;
  const double plain = sqnr(quantize(g), "fc:s32");
  spec.bias_correction = true;
  const double corrected = sqnr(quantize(g), "fc:s32");
  spec.bn_reestimation = true;
  const double both = sqnr(quantize(g), "fc:s32");
  CAPTURE(plain, corrected, both);
  CHECK(corrected > plain);
  CHECK(both > plain);
}

TEST_CASE("leaky ReLU of a channel whose batch norm has a negative gamma stays close to float",
          "[quant][ptq]") {
  SmallGraph g;
  const NodeId a = g.norm("bn", g.conv("c", g.input({3, 8, 8}), 8));
  g.output(g.conv("tail", g.node("leaky", LeakyRelu{0.25}, {a}), 4));
  Quantized q = quantize(g);
  q.weights["bn.weight"].data = {-1, 1, -0.5f, 2, -3, 1, 1, -1};
  q.network = quantize_ptq(q.workload, q.weights, q.images, 1);
  const Requantizer& r = q.network.layers[0].stores[0].requantizer;
  REQUIRE(r.negative.size() == 8);
  for (const Multiplier& m : r.positive) CHECK(m.m > 0);
  CHECK(sqnr(q, "leaky:s8") > 30);
  check_equals_twin(q);
}

TEST_CASE("ReLU6 is a clamp at the code of 6", "[quant][ptq]") {
  SmallGraph g;
  const NodeId a = g.node("r6", Relu{6.0}, {g.conv("c", g.input({3, 8, 8}), 8)});
  g.output(g.conv("tail", a, 4));
  g.workload.quantization.activations = 16;  // min/max, so that codes reach 6 only through it
  const IntegerNetwork network = quantize(g).network;
  const Store& store = network.layers[0].stores[0];
  const double scale = network.tensors[static_cast<std::size_t>(store.tensor)].scale;
  CHECK(store.clamp.min == 0);
  CHECK(static_cast<double>(store.clamp.max) * scale <= 6 + scale);
}

TEST_CASE("copies of a residual stream and of a pooled stem need no multiplier", "[quant][ptq]") {
  const IntegerNetwork network = quantize(small_resnet()).network;
  for (const IntegerLayer& layer : network.layers)
    if (layer.residual)
      for (const Store& store : layer.stores)
        CHECK(store.requantizer.empty() ==
              (network.tensors[static_cast<std::size_t>(store.tensor)].precision.bits == 16));
}

TEST_CASE("kernel-wise widths give each channel its own range", "[quant][ptq]") {
  SmallGraph g = small_resnet();
  g.workload.quantization.layers = {{"b1.conv1", {{2, 6}, {4, 2}}, {}}, {"b2.*", {{1, 0}}, {}}};
  const Quantized q = quantize(g);
  const auto& op = std::get<GemmOp>(q.network.layers[1].op);
  const std::size_t k = op.weights.size() / 8;
  for (std::size_t i = 0; i < op.weights.size(); ++i) {
    const int limit = i / k < 6 ? 2 : 8;
    REQUIRE(op.weights[i] >= -limit);
    REQUIRE(op.weights[i] < limit);
  }
  for (const std::size_t layer : {std::size_t{3}, std::size_t{4}}) {
    const auto& binary = std::get<GemmOp>(q.network.layers[layer].op);
    for (std::size_t i = 0; i < binary.weights.size(); ++i)
      REQUIRE(std::abs(binary.weights[i]) == 1);
  }
  check_equals_twin(q);
}

TEST_CASE("a layer list is quantized with seeded inputs of each shape", "[quant][ptq]") {
  SmallGraph g;
  g.workload.is_layer_list = true;
  g.output(g.conv("c1", g.input({3, 8, 8}, "c1.in"), 8));
  g.output(g.node("g1", Gemm{16}, {g.input({32, 5, 1}, "g1.in")}));
  g.output(g.max_pool("p1", g.input({4, 6, 6}, "p1.in")));
  const Quantized q = quantize(g);
  check_equals_twin(q);
  CHECK(sqnr(q, "g1:s8") > 30);
}

TEST_CASE("quantization does not depend on the thread count", "[quant][ptq][determinism]") {
  SmallGraph g = small_resnet();
  g.workload.quantization.bias_correction = true;
  const IntegerNetwork one = quantize(g, 1).network, three = quantize(g, 3).network;
  for (std::size_t t = 0; t < one.tensors.size(); ++t)
    CHECK(one.tensors[t].scale == three.tensors[t].scale);
  for (std::size_t i = 0; i < one.layers.size(); ++i) {
    const auto* a = std::get_if<GemmOp>(&one.layers[i].op);
    const auto* b = std::get_if<GemmOp>(&three.layers[i].op);
    if (!a) continue;
    CHECK(a->weights.narrow == b->weights.narrow);
    CHECK(a->bias == b->bias);
  }
}

TEST_CASE("LLSQ's 8-bit biases apply to low-bit layers only", "[quant][ptq]") {
  SmallGraph g = small_resnet();
  auto& spec = g.workload.quantization;
  spec.multiplier = MultiplierStyle::kLlsq8;
  spec.residual = ResidualStyle::kLowBit;
  spec.weights = spec.activations = 4;
  spec.first_last = 8;
  const IntegerNetwork network = quantize(g).network;
  bool wide = false;
  for (const IntegerLayer& layer : network.layers) {
    const auto* op = std::get_if<GemmOp>(&layer.op);
    if (!op) continue;
    for (const std::int32_t b : op->bias) {
      if (op->weight_bits[0] == 4)
        REQUIRE(std::abs(b) <= 128);
      else
        wide = wide || std::abs(b) > 128;
    }
  }
  CHECK(wide);
}

TEST_CASE("a ratio that no 8-bit multiplier expresses is refused by layer", "[quant][ptq]") {
  SmallGraph g = small_resnet();  // 4-bit codes to a 16-bit stream
  auto& spec = g.workload.quantization;
  spec.multiplier = MultiplierStyle::kLlsq8;
  spec.weights = spec.activations = 4;
  try {
    quantize(g);
    FAIL("not refused");
  } catch (const Error& error) {
    const std::string message = error.what();
    CAPTURE(message);
    CHECK(error.kind() == ErrorKind::kInvalidInput);
    CHECK(message.find("layer 'conv1': the ratio") == 0);
    CHECK(message.find("less than 2^7") != std::string::npos);
  }
}

TEST_CASE("frozen scales are those of the saved network, whatever the images", "[quant][ptq]") {
  const std::string folder =
      (std::filesystem::temp_directory_path() / "bitpulse_frozen_scales").string();
  SmallGraph g = small_resnet();
  g.workload.quantization.residual = GENERATE(ResidualStyle::kStream16, ResidualStyle::kLowBit);
  Quantized q = quantize(g);
  std::filesystem::create_directories(folder);
  save_network(q.network, folder);
  q.workload.quantization.frozen_scales = folder;
  const IntegerNetwork again =
      quantize_ptq(q.workload, q.weights, seeded_images({3, 8, 8}, 3, 1), 1);
  for (std::size_t t = 0; t < again.tensors.size(); ++t)
    CHECK(again.tensors[t].scale == q.network.tensors[t].scale);
  for (std::size_t i = 0; i < again.layers.size(); ++i) {
    CAPTURE(again.layers[i].name);
    if (const auto* op = std::get_if<GemmOp>(&again.layers[i].op))
      CHECK(op->weights.narrow == std::get<GemmOp>(q.network.layers[i].op).weights.narrow);
    if (!again.layers[i].residual) continue;
    // A sum without a 16-bit copy is known through a 31-bit multiplier only.
    const auto& now = again.layers[i].residual->main.positive;
    const auto& before = q.network.layers[i].residual->main.positive;
    for (std::size_t c = 0; c < now.size(); ++c)
      CHECK(std::ldexp(now[c].m, -now[c].shift) ==
            Approx(std::ldexp(before[c].m, -before[c].shift)).epsilon(1e-8));
  }

  SmallGraph other = everything();
  other.workload.quantization.frozen_scales = folder;
  try {
    quantize(other);
    FAIL("not refused");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("do not fit this network") != std::string::npos);
  }
}

TEST_CASE("the first tensor that diverges is named", "[quant][compare]") {
  Quantized q = quantize(small_resnet());
  CHECK_FALSE(compare_layers(q.workload, q.weights, q.network, q.images, 8, 15, 1).first_diverging);
  auto& broken = std::get<GemmOp>(q.network.layers[5].op);  // b3.conv1
  for (std::int32_t& b : broken.bias) b += 100000;
  const LayerComparison c = compare_layers(q.workload, q.weights, q.network, q.images, 8, 15, 1);
  REQUIRE(c.first_diverging);
  CHECK(c.tensors[*c.first_diverging].tensor == "b3.relu1:u8");
  CHECK(c.tensors[*c.first_diverging].node == "b3.relu1");
  CHECK_FALSE(c.tensors.back().differing);  // raw logits have no rounding to share
  CHECK(c.tensors[0].differing == 0u);
}

TEST_CASE("evaluation counts hits, agreement and differing elements", "[quant][evaluate]") {
  Quantized q = quantize(small_resnet());
  EvaluateOptions options;
  options.images = 30;
  options.twin_images = 7;
  Accuracy a = evaluate(q.workload, q.weights, q.network, q.images, options);
  CHECK(a.images == 30);
  CHECK(a.float_top1 == 0);  // seeded images have no labels
  CHECK(a.agreement > 20);
  CHECK(a.differing_elements == 0);
  std::uint64_t per_image = 0;
  for (const StoredTensor& t : q.network.tensors)
    per_image += static_cast<std::uint64_t>(t.shape.elements());
  CHECK(a.compared_elements == 7 * per_image);
  const TensorCodes codes = input_codes(q.workload, q.network, q.images, 0, 30);
  const ExecuteResult result = execute(q.network, codes, 30, {});
  const auto output = static_cast<std::size_t>(q.network.outputs[0].tensor);
  const auto values = output_values(q.network, result.tensors[output], 30);
  for (std::size_t b = 0; b < 30; ++b)
    q.images.labels[b] = static_cast<std::int32_t>(top1(values[b]));
  a = evaluate(q.workload, q.weights, q.network, q.images, options);
  CHECK(a.integer_top1 == 30);
  CHECK(a.fake_quant_images == 7);
  CHECK(a.fake_quant_top1 == 7);
  CHECK(a.float_top1 == a.agreement);
  CHECK(top1({1, 3, 3, 2}) == 1);
}

}  // namespace bitpulse
