// SPDX-License-Identifier: Apache-2.0
#include "quant/train/folded_layers.h"

#include "models/io/safetensors.h"
#include "quant/evaluate.h"
#include "quant/float/float_executor.h"
#include "quant/methods/learned.h"
#include "quant/train/quantizers.h"
#include "quant/training_model.h"
#include "testbench/quant/graphs.h"
#include "testbench/quant/train/stripes_training.h"
#include "testbench/quant/train/torch_catch.h"

namespace bitpulse {

namespace {

const at::Device kCpu(at::kCPU);

/// Trains stripes in float, then with `method` at `bits`, the last of three epochs folded.
std::string recipe(const std::string& method, int bits) {
  const std::string b = std::to_string(bits);
  return R"({"method": ")" + method + R"(", "weights": )" + b + R"(, "activations": )" + b +
         R"(, "train": {"epochs": 3, "batch": 32, "lr": 0.005, "fold_epochs": 1}})";
}

}  // namespace

TEST_CASE("folded layers compute what the training model without torch does", "[train][folded]") {
  const TemporaryFolder folder;
  const std::string method = GENERATE("lsq", "llsq");
  CAPTURE(method);
  const Workload workload = stripes(folder, recipe(method, 4));
  const Weights weights = seeded_weights(workload.graph, workload.data, 3, 1);
  const FloatBatch inputs = normalize(seeded_images({1, 8, 8}, 16, 5), 0, 16, workload.data);
  const at::Tensor images = to_tensor(inputs.data, {16, 1, 8, 8}, kCpu);

  const at::NoGradGuard no_gradients;
  TorchNetwork network(workload.graph, weights, kCpu);
  Quantizers quantizers(workload, kCpu);
  const at::Tensor real = network.forward(images, false, &quantizers);
  quantizers.fold(network);
  const at::Tensor folded = network.forward(images, false, &quantizers);
  Weights model = network.weights();
  for (const NamedTensor& step : quantizers.steps()) model[step.name] = to_values(step.value);
  const FloatBatch expected = TrainingModel(workload, model, 1).run({inputs})[0];

  const at::Tensor other = to_tensor(expected.data, {16, 4}, kCpu);
  const double scale = real.abs().max().item<double>();
  const double far = (folded - real).abs().mean().item<double>() / scale;
  const double apart = (folded - other).abs().mean().item<double>() / scale;
  CHECK(far > 1e-4);  // biases and multipliers are rounded
  CHECK(apart < far / 5);
}

TEST_CASE("trained folded, LLSQ's integers classify as its training model does",
          "[train][folded][llsq]") {
  const TemporaryFolder folder;
  const int bits = GENERATE(2, 3, 4, 8);
  const std::string method = GENERATE("lsq", "llsq");
  CAPTURE(bits, method);
  const Workload workload = pretrained(folder, recipe(method, bits));
  const TrainOptions options = into(folder, "out");
  const TrainResult result = train(workload, options);
  const Weights model = read_weights(options.out + "/model.safetensors");
  const ImageSet calibration = read_images(workload.data, Split::kTrain, {1, 8, 8}, 4, 0, 64);
  const ImageSet test = read_images(workload.data, Split::kTest, {1, 8, 8}, 4, 0, -1);
  const IntegerNetwork network = quantize_learned(workload, model, calibration, 1);
  const Accuracy accuracy = evaluate(workload, model, network, test, {});
  CHECK(accuracy.differing_elements == 0);
  CHECK(accuracy.compared_elements > 10'000);
  CHECK(result.test_right >= 100);  // chance is 32
  CHECK(std::abs(accuracy.integer_top1 - result.test_right) <= 2);
}

TEST_CASE("folding freezes batch norms but for their biases, and resumes bit for bit",
          "[train][folded][resume]") {
  const TemporaryFolder folder;
  Workload workload = pretrained(folder, recipe("llsq", 4));
  TrainOptions stopped = into(folder, "stopped");
  stopped.stop_step = 16;  // of 24: the last before folding
  train(workload, stopped);
  const Weights before = read_weights(stopped.out + "/checkpoint.safetensors");
  for (const std::int64_t stop : {17, 20, 24}) {
    stopped.stop_step = stop;
    train(workload, stopped);
  }
  const Weights after = read_weights(stopped.out + "/model.safetensors");
  for (const char* name : {"n1.weight", "n1.running_mean", "n2.running_var"})
    CHECK(after.at(name).data == before.at(name).data);
  for (const char* name : {"n1.bias", "c1.weight", "c2.weight", "fc.bias"})
    CHECK(after.at(name).data != before.at(name).data);

  const TrainOptions straight = into(folder, "straight");
  train(workload, straight);
  CHECK((content(straight.out + "/model.safetensors") ==
         content(stopped.out + "/model.safetensors")));
}

}  // namespace bitpulse
