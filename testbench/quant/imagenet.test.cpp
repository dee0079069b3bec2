// SPDX-License-Identifier: Apache-2.0

// ImageNet networks on 200 sample images: float top-1 as published with the weights, and what 8
// and 4 bits leave of it.

#include <iostream>

#include "models/io/safetensors.h"
#include "models/nets/nets.h"
#include "quant/evaluate.h"
#include "quant/methods/ptq.h"
#include "testbench/catch.h"

namespace bitpulse {

namespace {

const std::string kData = BITPULSE_SHARED_DIR "/data/";

Workload sample_workload(const std::string& network, const std::string& weights) {
  Workload w;
  w.name = w.network_name = network;
  w.graph = build_network(network);
  w.weights_path = kData + "models/" + weights;
  w.data.format = DataFormat::kImageFolder;
  w.data.test = kData + "imagenet_sample";
  w.data.test_labels = kData + "imagenet_sample/labels.csv";
  w.quantization.calibration_images = 50;
  return w;
}

/// Hits of the float network; integer hits at each width go to `integer`.
void check_network(Workload w, std::int64_t float_hits, std::int64_t slack_at_8_bits) {
  const Weights weights = read_weights(w.weights_path);
  const ImageSet images = read_images(w.data, Split::kTest, {3, 224, 224}, 1000, 0, -1);
  REQUIRE(images.count == 200);
  for (const std::uint8_t bits : std::vector<std::uint8_t>{8, 6, 4}) {
    w.quantization.weights = w.quantization.activations = bits;
    w.quantization.first_last = 8;
    // No training images are at hand; calibration sees a quarter of the test images.
    const IntegerNetwork network = quantize_ptq(w, weights, images, 2);
    EvaluateOptions options;
    options.twin_images = 2;
    options.threads = 2;
    const Accuracy a = evaluate(w, weights, network, images, options);
    std::cout << w.name << " W" << int{bits} << "A" << int{bits} << ", first and last 8: float "
              << a.float_top1 << ", integer " << a.integer_top1 << ", same class " << a.agreement
              << " of " << a.images << "\n";
    CHECK(std::abs(a.float_top1 - float_hits) <= 1);
    CHECK(a.differing_elements == 0);
    if (bits == 8) CHECK(a.integer_top1 >= a.float_top1 - slack_at_8_bits);
  }
}

}  // namespace

TEST_CASE("SqueezeNet 1.1 on ImageNet samples", "[quant][ptq][real-data][.slow]") {
  BITPULSE_REQUIRE_SHARED("data/models/squeezenet1_1_imagenet.safetensors");
  Workload w = sample_workload("squeezenet1.1", "squeezenet1_1_imagenet.safetensors");
  w.data.scale = 1;
  w.data.mean = {103.939, 116.779, 123.68};
  w.data.std_dev = {1, 1, 1};
  w.data.bgr = true;
  check_network(w, 130, 4);
}

TEST_CASE("MobileNetV2 on ImageNet samples", "[quant][ptq][real-data][.slow]") {
  BITPULSE_REQUIRE_SHARED("data/models/mobilenet_v2_imagenet.safetensors");
  Workload w = sample_workload("mobilenet-v2-tf", "mobilenet_v2_imagenet.safetensors");
  w.data.scale = 1 / 127.5;
  w.data.mean = {1, 1, 1};
  w.data.std_dev = {1, 1, 1};
  check_network(w, 178, 6);
}

}  // namespace bitpulse
