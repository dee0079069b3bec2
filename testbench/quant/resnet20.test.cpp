// SPDX-License-Identifier: Apache-2.0

// ResNet-20 on 2,000 CIFAR-10 test images, with weights and logits of a public PyTorch model.

#include <cmath>
#include <cstring>
#include <iostream>

#include "models/io/safetensors.h"
#include "models/nets/nets.h"
#include "quant/compare.h"
#include "quant/evaluate.h"
#include "quant/float/float_executor.h"
#include "quant/inputs.h"
#include "quant/methods/ptq.h"
#include "testbench/catch.h"

namespace bitpulse {

namespace {

const std::string kData = BITPULSE_SHARED_DIR "/data/";

Workload resnet20() {
  Workload w;
  w.name = w.network_name = "resnet20-cifar";
  w.graph = build_network("resnet20-cifar");
  w.weights_path = kData + "models/resnet20_cifar10.safetensors";
  w.data.format = DataFormat::kCifar10;
  w.data.test = kData + "cifar10/test_a_2k.bin";
  w.data.train = kData + "cifar10/train_10k.bin";
  w.data.mean = {0.485, 0.456, 0.406};
  w.data.std_dev = {0.229, 0.224, 0.225};
  return w;
}

ImageSet images_of(const Workload& w, Split split, std::int64_t count) {
  return read_images(w.data, split, {3, 32, 32}, 10, 0, count);
}

struct Result {
  Accuracy accuracy;
  IntegerNetwork network;
};

Result quantize_and_evaluate(const Workload& w, std::int64_t images, std::int64_t twin_images) {
  const Weights weights = read_weights(w.weights_path);
  Result result;
  result.network =
      quantize_ptq(w, weights, images_of(w, Split::kTrain, w.quantization.calibration_images), 2);
  EvaluateOptions options;
  options.images = images;
  options.twin_images = twin_images;
  options.threads = 2;
  result.accuracy =
      evaluate(w, weights, result.network, images_of(w, Split::kTest, images), options);
  return result;
}

void print(const std::string& what, const Accuracy& a) {
  const auto percent = [&a](std::int64_t hits) {
    return 100.0 * static_cast<double>(hits) / static_cast<double>(a.images);
  };
  std::cout << what << ": " << a.images << " images, float " << percent(a.float_top1)
            << " %, integer " << percent(a.integer_top1) << " %, same class "
            << percent(a.agreement) << " %, twin differs in " << a.differing_elements << " of "
            << a.compared_elements << " elements\n";
}

}  // namespace

TEST_CASE("ResNet-20 in float: 1818 of 2000, logits within 1e-3 of PyTorch's",
          "[quant][float][real-data]") {
  BITPULSE_REQUIRE_SHARED("data/models/resnet20_cifar10.safetensors");
  const Workload w = resnet20();
  const ImageSet images = images_of(w, Split::kTest, -1);
  REQUIRE(images.count == 2000);
  const SafeTensors file =
      read_safetensors(kData + "models/resnet20_cifar10.test_a_logits.safetensors");
  const SafeTensor& logits = file.tensors.at("logits");
  std::vector<float> expected(20000);
  REQUIRE(logits.bytes.size() == expected.size() * sizeof(float));
  std::memcpy(expected.data(), logits.bytes.data(), logits.bytes.size());

  const Weights weights = read_weights(w.weights_path);
  FloatExecutor executor(w.graph, weights, 2);
  std::int64_t hits = 0;
  double worst = 0;
  for (std::int64_t first = 0; first < 2000; first += 100) {
    const FloatBatch out = executor.run(float_inputs(w, images, first, 100))[0];
    for (std::int64_t b = 0; b < 100; ++b) {
      const float* values = out.data.data() + b * 10;
      hits += top1({values, values + 10}) == images.labels[static_cast<std::size_t>(first + b)];
      for (std::int64_t c = 0; c < 10; ++c)
        worst = std::max(worst,
                         std::abs(static_cast<double>(values[c]) -
                                  static_cast<double>(
                                      expected[static_cast<std::size_t>((first + b) * 10 + c)])));
    }
  }
  std::cout << "float top-1 " << hits << " of 2000, largest logit difference " << worst << "\n";
  CHECK(std::abs(hits - 1818) <= 1);
  CHECK(worst < 1e-3);
}

TEST_CASE("ResNet-20 at W8A8 is within half a point of float", "[quant][ptq][real-data]") {
  BITPULSE_REQUIRE_SHARED("data/models/resnet20_cifar10.safetensors");
  const Result r = quantize_and_evaluate(resnet20(), 2000, 20);
  print("W8A8", r.accuracy);
  CHECK(r.accuracy.float_top1 - r.accuracy.integer_top1 <= 10);
  CHECK(r.accuracy.agreement >= 1960);
  CHECK(r.accuracy.differing_elements == 0);
  CHECK(r.accuracy.compared_elements > 20 * 200000);
  CHECK(r.accuracy.overflow.intermediate + r.accuracy.overflow.final_sum == 0);
}

TEST_CASE("ResNet-20 tensors at W8A8 follow the float network", "[quant][ptq][real-data]") {
  BITPULSE_REQUIRE_SHARED("data/models/resnet20_cifar10.safetensors");
  const Workload w = resnet20();
  const Weights weights = read_weights(w.weights_path);
  const IntegerNetwork network = quantize_ptq(w, weights, images_of(w, Split::kTrain, 256), 2);
  const LayerComparison comparison =
      compare_layers(w, weights, network, images_of(w, Split::kTest, 64), 64, 20, 2);
  for (const TensorComparison& t : comparison.tensors) {
    CAPTURE(t.tensor, t.sqnr_db, t.differing_share());
    CHECK(t.sqnr_db > 20);
    if (t.precision.bits == 8) CHECK(t.differing_share() < 0.9);
  }
  CHECK_FALSE(comparison.first_diverging);
  CHECK(comparison.tensors[0].differing == 0u);  // the image itself
}

TEST_CASE("ResNet-20 at lower widths, as it comes out", "[quant][ptq][real-data]") {
  BITPULSE_REQUIRE_SHARED("data/models/resnet20_cifar10.safetensors");
  std::int64_t last = 2000;
  for (const std::uint8_t bits : std::vector<std::uint8_t>{6, 4, 2}) {
    Workload w = resnet20();
    w.quantization.weights = w.quantization.activations = bits;
    w.quantization.first_last = 8;
    const Result r = quantize_and_evaluate(w, 500, 5);
    print("W" + std::to_string(bits) + "A" + std::to_string(bits) + ", first and last 8",
          r.accuracy);
    CHECK(r.accuracy.differing_elements == 0);
    CHECK(r.accuracy.integer_top1 < last);
    last = r.accuracy.integer_top1;
  }
}

TEST_CASE("ResNet-20: what each method option gives", "[quant][ptq][real-data][.slow]") {
  BITPULSE_REQUIRE_SHARED("data/models/resnet20_cifar10.safetensors");
  struct Option {
    const char* name;
    void (*set)(QuantizationSpec&);
  };
  const Option options[] = {
      {"mse", [](QuantizationSpec&) {}},
      {"minmax", [](QuantizationSpec& s) { s.calibration = CalibrationRule::kMinMax; }},
      {"percentile", [](QuantizationSpec& s) { s.calibration = CalibrationRule::kPercentile; }},
      {"bias correction", [](QuantizationSpec& s) { s.bias_correction = true; }},
      {"bn re-estimation", [](QuantizationSpec& s) { s.bn_reestimation = true; }},
      {"both", [](QuantizationSpec& s) { s.bn_reestimation = s.bias_correction = true; }},
      {"low-bit residual", [](QuantizationSpec& s) { s.residual = ResidualStyle::kLowBit; }},
      {"llsq",
       [](QuantizationSpec& s) {
         s.residual = ResidualStyle::kLowBit;
         s.multiplier = MultiplierStyle::kLlsq8;
       }},
      {"llsq, bn re-estimation",
       [](QuantizationSpec& s) {
         s.residual = ResidualStyle::kLowBit;
         s.multiplier = MultiplierStyle::kLlsq8;
         s.bn_reestimation = true;
       }},
  };
  for (const std::uint8_t bits : std::vector<std::uint8_t>{8, 4, 3, 2})
    for (const Option& option : options) {
      Workload w = resnet20();
      w.quantization.weights = w.quantization.activations = bits;
      w.quantization.first_last = 8;
      option.set(w.quantization);
      const Result r = quantize_and_evaluate(w, 500, 1);
      print("W" + std::to_string(bits) + "A" + std::to_string(bits) + " " + option.name,
            r.accuracy);
      CHECK(r.accuracy.differing_elements == 0);
    }
}

}  // namespace bitpulse
