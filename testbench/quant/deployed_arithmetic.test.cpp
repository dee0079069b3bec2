// SPDX-License-Identifier: Apache-2.0
#include "quant/deployed_arithmetic.h"

#include <cmath>
#include <stdexcept>

#include "quant/evaluate.h"
#include "quant/inputs.h"
#include "quant/integer/twin.h"
#include "testbench/catch.h"
#include "testbench/quant/trained.h"

namespace bitpulse {

namespace {

/// With gammas of either sign.
Trained llsq(std::uint8_t bits, bool folded) {
  Trained trained("llsq", true, bits);
  trained.workload.quantization.train.fold_epochs = folded ? 1 : 0;
  for (const char* gamma : {"bn1.weight", "b1.bn2.weight", "b3.down.bn.weight"})
    trained.model.at(gamma).data[1] *= -1;
  return trained;
}

/// Share of codes of the first residual sum that differ: behind two layers, a main branch and an
/// add. Further on, each code that differs changes others.
double differing_sums(const LayerComparison& comparison) {
  for (const TensorComparison& tensor : comparison.tensors)
    if (tensor.node == "b1.out") return tensor.differing_share();
  throw std::runtime_error("no tensor of b1.out");
}

}  // namespace

TEST_CASE("folded, the training model's codes are the integers' but for ties",
          "[quant][learned][llsq]") {
  const auto bits = GENERATE(as<std::uint8_t>(), 2, 3, 4, 8);
  CAPTURE(static_cast<int>(bits));
  const Trained folded = llsq(bits, true), plain = llsq(bits, false);
  const IntegerNetwork network = folded.quantize();
  // 8-bit multipliers often make exact ties, which float sums decide either way.
  const double differing = differing_sums(folded.compare(network));
  CHECK(differing < 5e-3);
  CHECK(differing_sums(plain.compare(plain.quantize())) > 10 * differing + 0.03);
}

TEST_CASE("a low-bit branch is trained on the codes that it is deployed with",
          "[quant][learned][llsq]") {
  const auto bits = GENERATE(as<std::uint8_t>(), 2, 3, 4, 8);
  CAPTURE(static_cast<int>(bits));
  const Trained trained = llsq(bits, false);
  const Lowering lowering = lower_with_origins(trained.workload);
  int branches = 0;
  for (const ActivationSite& site : place_quantizers(trained.workload, lowering).activations) {
    if (!site.layer) continue;
    ++branches;
    CHECK((site.precision.range() == lowering.network.layers[*site.layer].residual->main_clamp));
  }
  CHECK(branches > 0);
}

TEST_CASE("networks of every width equal their twin on every element", "[quant][learned]") {
  const auto bits = GENERATE(as<std::uint8_t>(), 2, 3, 4, 8);
  const std::string method = GENERATE("lsq", "llsq");
  CAPTURE(static_cast<int>(bits), method);
  const Trained trained = method == "llsq" ? llsq(bits, true) : Trained(method, false, bits);
  const IntegerNetwork network = trained.quantize();
  const TensorCodes inputs = input_codes(trained.workload, network, trained.images, 0, 24);
  ExecuteOptions options;
  options.keep_all_tensors = true;
  const ExecuteResult result = execute(network, inputs, 24, options);
  const TensorCodes twin = run_twin(network, inputs, 24);
  for (std::size_t t = 0; t < twin.size(); ++t) {
    CAPTURE(network.tensors[t].name);
    CHECK_FALSE(twin[t].empty());
    CHECK((result.tensors[t] == twin[t]));
  }
}

TEST_CASE("LLSQ's biases have 8 bits and its multipliers one shift a layer, where sums are low-bit",
          "[quant][learned][llsq]") {
  const IntegerNetwork network = llsq(4, true).quantize();
  int low_bit_layers = 0;
  for (const IntegerLayer& layer : network.layers) {
    const auto* op = std::get_if<GemmOp>(&layer.op);
    if (!op) continue;
    CAPTURE(layer.name);
    const int input_bits = network.tensors[static_cast<std::size_t>(op->input)].precision.bits;
    const bool low_bit = op->weight_bits[0] + input_bits <= 8;
    low_bit_layers += low_bit;
    for (const std::int32_t bias : op->bias)
      if (low_bit) CHECK((bias >= -128 && bias <= 127));
    const std::vector<Multiplier>& multipliers =
        layer.residual ? layer.residual->main.positive : layer.stores[0].requantizer.positive;
    for (const Multiplier& m : multipliers) {
      CHECK((m.m >= -128 && m.m <= 127));
      CHECK(m.shift == multipliers[0].shift);
    }
  }
  CHECK(low_bit_layers >= 6);
}

TEST_CASE("LLSQ's 4-bit sums fit 16-bit accumulators: nothing overflows, nothing changes",
          "[quant][learned][llsq]") {
  const Trained trained = llsq(4, true);
  const IntegerNetwork network = trained.quantize();
  const TensorCodes inputs = input_codes(trained.workload, network, trained.images, 0, 8);
  ExecuteOptions options;
  options.keep_all_tensors = true;
  const TensorCodes wide = execute(network, inputs, 8, options).tensors;
  for (const Overflow overflow : {Overflow::kWrap, Overflow::kSaturate}) {
    AccumulationOrder narrow;
    narrow.acc_bits = 16;
    narrow.overflow = overflow;
    options.accumulation.assign(network.layers.size(), {{4, narrow}});
    const ExecuteResult result = execute(network, inputs, 8, options);
    CHECK((result.tensors == wide));
    for (const OverflowCounts& counts : result.overflow) CHECK(counts.final_sum == 0);
  }
}

TEST_CASE("a batch norm folds into scale and bias: the same values, the same codes",
          "[quant][learned]") {
  SmallGraph g;
  g.output(g.norm("bn", g.conv("conv", g.input({3, 8, 8}), 4)));
  g.workload.quantization.method = "llsq";
  g.workload.quantization.first_last = 8;
  Weights model = seeded_weights(g.workload.graph, g.workload.data, 3, 1);
  model.at("bn.weight").data = {1.5f, -0.7f, 0.3f, -2};
  model.at("bn.bias").data = {0, 0, 0.5f, 1};
  model.at("bn.running_mean").data = {0, 0, 0.1f, -0.4f};
  model["conv.weight.step"] = {{4}, {0.01f, 0.02f, 0.015f, 0.005f}};
  model["x.step"] = {{1}, {0.02f}};
  const Placement placement = place_quantizers(g.workload, lower_with_origins(g.workload));
  REQUIRE(placement.activations.size() == 1);
  model[activation_step_name(placement.activations[0])] = {{1}, {0.02f}};

  const ImageSet images = seeded_images({3, 8, 8}, 4, 9);
  const IntegerNetwork network = quantize_learned(g.workload, model, images, 1);
  const TensorCodes inputs = input_codes(g.workload, network, images, 0, 4);
  const ExecuteResult result = execute(network, inputs, 4, {});
  const auto output = static_cast<std::size_t>(network.outputs[0].tensor);
  const auto found = output_values(network, result.tensors[output], 4);
  const FloatBatch expected =
      TrainingModel(g.workload, model, 1).run(float_inputs(g.workload, images, 0, 4))[0];
  for (std::size_t image = 0; image < 4; ++image)
    for (std::size_t i = 0; i < 256; ++i) {
      const std::size_t c = i / 64;
      // The bias is rounded to its unit; without one the two differ by float sums alone.
      const double unit = std::abs(network.outputs[0].scales[c]);
      const double margin = c < 2 ? 1e-5 : 0.5 * unit + 1e-5;
      CHECK(
          found[image][i] ==
          Approx(static_cast<double>(expected.data[image * 256 + i])).epsilon(1e-5).margin(margin));
    }
  CHECK(network.outputs[0].scales[0] > 0);
  CHECK(network.outputs[0].scales[1] < 0);
}

}  // namespace bitpulse
