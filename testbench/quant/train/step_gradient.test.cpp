// SPDX-License-Identifier: Apache-2.0
// LSQ learns by the gradient of its steps: with the weights held, the steps alone win back most of
// what 2-bit calibration loses, and no step gradient but the right one does.

#include <filesystem>
#include <string>

#include "models/error.h"
#include "models/io/json.h"
#include "models/io/safetensors.h"
#include "models/io/shipped.h"
#include "models/io/workload_reader.h"
#include "quant/evaluate.h"
#include "quant/methods/ptq.h"
#include "quant/train/trainer.h"
#include "testbench/catch.h"
#include "testbench/models/temporary_folder.h"

namespace bitpulse {

namespace {

/// Top-1 in percent of the test images, as trained; 0 where the loss does not stay finite.
double trained(Workload workload, const TemporaryFolder& folder, const std::string& name) {
  TrainOptions options;
  options.out = folder / name;
  options.threads = 2;
  std::filesystem::create_directories(options.out);
  try {
    const TrainResult result = train(workload, options);
    return 100.0 * static_cast<double>(result.test_right) / static_cast<double>(result.test_images);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCheckFailed) throw;
    return 0;
  }
}

/// Top-1 in percent of the calibrated integers over 500 test images.
double calibrated(Workload workload) {
  workload.quantization.method = "ptq";
  workload.quantization.learns = false;
  const auto& nodes = workload.graph.nodes;
  const Shape& shape = nodes[static_cast<std::size_t>(workload.graph.inputs.front())].shape;
  const Weights weights = read_weights(workload.weights_path);
  const IntegerNetwork network = quantize_ptq(
      workload, weights, read_images(workload.data, Split::kTrain, shape, 10, 0, 256), 2);
  EvaluateOptions options;
  options.twin_images = 0;
  options.threads = 2;
  const ImageSet images = read_images(workload.data, Split::kTest, shape, 10, 0, 500);
  return static_cast<double>(evaluate(workload, weights, network, images, options).integer_top1) /
         5;
}

/// Steps learn at this rate, weights and batch norms so slowly that they stay.
void hold_weights(Workload& workload, double rate_of_steps) {
  constexpr double kHeld = 1e-5;
  workload.quantization.train.lr = kHeld;
  workload.quantization.lsq.gradient_factor = rate_of_steps / kHeld;
}

/// Checks that LSQ beats calibration by `margin` points, and LSQ with a broken gradient does not.
void check_margin(const Workload& workload, const TemporaryFolder& folder, double margin) {
  const double needed = calibrated(workload) + margin;
  CHECK(trained(workload, folder, "lsq") >= needed);

  Workload broken = workload;
  broken.quantization.lsq.gradient_factor = 0;
  CHECK(trained(broken, folder, "zeroed") < needed);
  broken.quantization.lsq.gradient_factor = -workload.quantization.lsq.gradient_factor;
  CHECK(trained(broken, folder, "negated") < needed);
  broken = workload;
  broken.quantization.lsq.gradient_scale = false;
  CHECK(trained(broken, folder, "unscaled") < needed);
}

}  // namespace

TEST_CASE("on the figures only the right step gradient beats calibration at 2 bits by 42 points",
          "[train][lsq][figures]") {
  const TemporaryFolder folder;
  Workload workload = read_workload(load_json(find_file("resnet8-figures-w2a2-lsq", "")));
  hold_weights(workload, 0.02);
  TrainSpec& spec = workload.quantization.train;
  spec.epochs = 1;
  spec.images = 3200;
  spec.batch = 32;
  check_margin(workload, folder, 42);
}

TEST_CASE("on MNIST only the right step gradient beats calibration at 2 bits by 25 points",
          "[train][lsq][real-data]") {
  BITPULSE_REQUIRE_SHARED("data/mnist/train-images-idx3-ubyte.gz");
  const TemporaryFolder folder;
  const auto perceptron = [&](const std::string& quantization) {
    const std::string mnist = BITPULSE_SHARED_DIR "/data/mnist/";
    return read_workload(load_json(folder.write("w.json", R"({
      "schema": "bitpulse/workload/1", "name": "perceptron",
      "network": { "inputs": { "image": [1, 28, 28] }, "nodes": [
        { "name": "flat", "kind": "flatten", "inputs": ["image"] },
        { "name": "fc1", "kind": "linear", "inputs": ["flat"], "out_features": 64 },
        { "name": "relu1", "kind": "relu", "inputs": ["fc1"] },
        { "name": "fc2", "kind": "linear", "inputs": ["relu1"], "out_features": 64 },
        { "name": "relu2", "kind": "relu", "inputs": ["fc2"] },
        { "name": "fc3", "kind": "linear", "inputs": ["relu2"], "out_features": 64 },
        { "name": "relu3", "kind": "relu", "inputs": ["fc3"] },
        { "name": "fc4", "kind": "linear", "inputs": ["relu3"], "out_features": 10 }],
        "outputs": ["fc4"] },
      "data": { "format": "mnist", "mean": [0.1307], "std": [0.3081],
                "train": ")" + mnist + R"(train-images-idx3-ubyte.gz",
                "train_labels": ")" + mnist + R"(train-labels-idx1-ubyte.gz",
                "test": ")" + mnist + R"(t10k-images-idx3-ubyte.gz",
                "test_labels": ")" + mnist + R"(t10k-labels-idx1-ubyte.gz" },
      "quantization": )" + quantization + "}")));
  };
  const double real = trained(
      perceptron(R"({"method": "float", "train": {"epochs": 2, "images": 12800, "batch": 64}})"),
      folder, "float");
  CHECK(real > 85);
  Workload workload = perceptron(R"({"method": "lsq", "weights": 2, "activations": 2,
      "first_last": 2, "train": {"epochs": 1, "images": 6400, "batch": 64},
      "lsq": {"step_init": "mse"}})");
  workload.weights_path = folder / "float/model.safetensors";
  hold_weights(workload, 0.2);
  check_margin(workload, folder, 25);
}

}  // namespace bitpulse
