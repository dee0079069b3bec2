// SPDX-License-Identifier: Apache-2.0

// Networks from ONNX files of other tools compute what those tools say of them.

#include "models/io/onnx_reader.h"
#include "quant/evaluate.h"
#include "quant/methods/ptq.h"
#include "testbench/catch.h"

namespace bitpulse {

TEST_CASE("an MNIST network of CNTK has its published accuracy, and the same at 8 bits",
          "[quant][onnx][real-data]") {
  BITPULSE_REQUIRE_SHARED("data/onnx/mnist_cntk.onnx");
  const std::string data = BITPULSE_SHARED_DIR "/data/";
  ImportedNetwork net = import_onnx(data + "onnx/mnist_cntk.onnx");
  Workload w;
  w.graph = std::move(net.graph);
  w.data.format = DataFormat::kMnist;
  w.data.scale = 1;
  w.data.mean = {0};
  w.data.std_dev = {1};
  w.data.test = data + "mnist/t10k-images-idx3-ubyte.gz";
  w.data.test_labels = data + "mnist/t10k-labels-idx1-ubyte.gz";
  const ImageSet images = read_images(w.data, Split::kTest, {1, 28, 28}, 10, 0, -1);
  REQUIRE(images.count == 10'000);

  const IntegerNetwork network = quantize_ptq(w, net.weights, images, 2);
  EvaluateOptions options;
  options.twin_images = 8;
  options.threads = 2;
  const Accuracy a = evaluate(w, net.weights, network, images, options);
  CHECK(a.float_top1 == 9'891);
  CHECK(std::abs(a.integer_top1 - a.float_top1) <= 10);
  CHECK(a.differing_elements == 0);
}

}  // namespace bitpulse
