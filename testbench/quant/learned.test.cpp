// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/learned.h"

#include <cmath>

#include "quant/evaluate.h"
#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/quant/trained.h"

namespace bitpulse {

namespace {

/// Biases are rounded to the accumulator's unit, which at 4 bits moves this share of all codes; a
/// wrong scale moves most.
constexpr double kBiasRounding = 0.1;

const GemmOp& gemm(const IntegerNetwork& network, const std::string& layer) {
  for (const IntegerLayer& l : network.layers)
    if (l.name == layer) return std::get<GemmOp>(l.op);
  throw std::runtime_error("no layer " + layer);
}

}  // namespace

TEST_CASE("learned integers follow the training model but for the rounding of biases",
          "[quant][learned]") {
  const char* method = GENERATE("lsq", "llsq");
  const bool per_channel = GENERATE(false, true);
  CAPTURE(method, per_channel);
  Trained trained(method, per_channel);
  trained.workload.quantization.residual = ResidualStyle::kStream16;
  trained.workload.quantization.multiplier = MultiplierStyle::kDyadic31;
  const IntegerNetwork network = trained.quantize();
  CHECK(differing(trained.compare(network)) < kBiasRounding);
  EvaluateOptions options;
  const Accuracy accuracy =
      evaluate(trained.workload, trained.model, network, trained.images, options);
  CHECK(accuracy.compared_elements > 10'000);
  CHECK(accuracy.differing_elements == 0);
}

TEST_CASE("weight codes are those of training, whatever the sign of a batch norm's gamma",
          "[quant][learned]") {
  Trained trained;
  const std::vector<std::int8_t> before = gemm(trained.quantize(), "conv1").weights.narrow;
  Tensor<float>& gamma = trained.model.at("bn1.weight");
  gamma.data[2] = -gamma.data[2];
  const IntegerNetwork network = trained.quantize();
  CHECK(gemm(network, "conv1").weights.narrow == before);
  CHECK(differing(trained.compare(network)) < kBiasRounding);

  const Tensor<float>& weight = trained.model.at("conv1.weight");
  const float step = trained.model.at("conv1.weight.step").data[0];
  REQUIRE(before.size() == weight.data.size());
  for (std::int64_t o = 0; o < 8; ++o)  // OIHW to OHWI
    for (std::int64_t i = 0; i < 3; ++i)
      for (std::int64_t p = 0; p < 9; ++p) {
        const float w = weight.data[static_cast<std::size_t>((o * 3 + i) * 9 + p)];
        const float code = std::min(127.0f, std::max(-128.0f, std::nearbyint(w / step)));
        REQUIRE(before[static_cast<std::size_t>((o * 9 + p) * 3 + i)] == static_cast<int>(code));
      }
}

TEST_CASE("a channel that training has removed becomes its bias", "[quant][learned]") {
  Trained trained;
  trained.model.at("bn1.weight").data[1] = 0;
  trained.model.at("bn1.bias").data[1] = 1.47f;
  const IntegerNetwork network = trained.quantize();
  CHECK(differing(trained.compare(network)) < kBiasRounding);
}

TEST_CASE("scales of the network are the learned steps", "[quant][learned]") {
  const Trained trained;
  const IntegerNetwork network = trained.quantize();
  int learned = 0;
  for (const StoredTensor& tensor : network.tensors) {
    if (tensor.precision.bits >= 16) continue;
    ++learned;
    CHECK(tensor.scale == trained.model.at(tensor.name + ".step").data[0]);
  }
  CHECK(learned >= 8);
}

TEST_CASE("a trained model that lacks a step or has a wrong one is refused by name",
          "[quant][learned]") {
  Trained trained;
  trained.model.at("conv1.weight.step").data[0] = 0;
  CHECK_REFUSED(trained.quantize(), ErrorKind::kInvalidInput, "conv1.weight.step", "not positive");
  trained.model.at("conv1.weight.step") = {{2}, {1, 1}};
  CHECK_REFUSED(trained.quantize(), ErrorKind::kInvalidInput, "conv1.weight.step", "2 steps");
  trained.model.erase("conv1.weight.step");
  CHECK_REFUSED(trained.quantize(), ErrorKind::kInvalidInput, "conv1.weight.step", "missing");
}

TEST_CASE("recipe q is refused by the export, which says why", "[quant][learned]") {
  Trained trained("llsq");
  trained.workload.quantization.llsq.recipe = LlsqRecipe::kQ;
  CHECK_REFUSED(trained.quantize(), ErrorKind::kInvalidInput, "recipe q", "float");
}

}  // namespace bitpulse
