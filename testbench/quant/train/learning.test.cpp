// SPDX-License-Identifier: Apache-2.0
// Quantizers that learn, from a float network to integers.

#include "models/io/safetensors.h"
#include "quant/evaluate.h"
#include "quant/methods/learned.h"
#include "quant/methods/ptq.h"
#include "testbench/catch.h"
#include "testbench/quant/train/stripes_training.h"

namespace bitpulse {

namespace {

constexpr const char* kTwoBits = R"({"method": "lsq", "weights": 2, "activations": 2,
    "first_last": 2, "train": {"epochs": 6, "batch": 32, "lr": 0.02, "crop_pad": 1, "distill": 0.5}})";

std::int64_t integers_right(const Workload& workload, const Weights& weights,
                            const IntegerNetwork& network) {
  const ImageSet images = read_images(workload.data, Split::kTest, {1, 8, 8}, 4, 0, -1);
  return evaluate(workload, weights, network, images, {}).integer_top1;
}

}  // namespace

TEST_CASE("at 2 bits LSQ keeps what post-training quantization loses", "[train][lsq]") {
  const TemporaryFolder folder;
  const std::string weights = float_weights(folder);
  Workload workload = stripes(folder, kTwoBits);
  workload.weights_path = weights;
  const TrainOptions options = into(folder, "lsq");
  const TrainResult result = train(workload, options);
  const ImageSet calibration = read_images(workload.data, Split::kTrain, {1, 8, 8}, 4, 0, 64);
  const Weights model = read_weights(options.out + "/model.safetensors");
  const std::int64_t learned =
      integers_right(workload, model, quantize_learned(workload, model, calibration, 1));
  Workload post = workload;
  post.quantization.method = "ptq";
  post.quantization.learns = false;
  const Weights real = read_weights(weights);
  const std::int64_t calibrated =
      integers_right(post, real, quantize_ptq(post, real, calibration, 1));
  INFO("of 128: learned " << learned << ", calibrated " << calibrated << ", training model "
                          << result.test_right);
  CHECK(result.test_right >= 120);
  CHECK(learned >= 118);
  CHECK(calibrated <= learned - 10);
}

TEST_CASE("a training with quantizers and a teacher resumes with the same bytes",
          "[train][lsq][resume]") {
  const TemporaryFolder folder;
  Workload workload = stripes(folder, kTwoBits);
  workload.weights_path = float_weights(folder);
  workload.quantization.train.steps = 12;
  const TrainOptions straight = into(folder, "straight");
  train(workload, straight);
  TrainOptions stopped = into(folder, "stopped");
  for (const std::int64_t stop : {1, 7, 12}) {
    stopped.stop_step = stop;
    train(workload, stopped);
  }
  CHECK((content(stopped.out + "/model.safetensors") ==
         content(straight.out + "/model.safetensors")));
}

TEST_CASE("a training starts from another's model where it is told to", "[train][lsq]") {
  const TemporaryFolder folder;
  Workload workload = stripes(folder, kTwoBits);
  workload.weights_path = float_weights(folder);
  workload.quantization.train.epochs = 0;
  workload.quantization.train.init = workload.weights_path;
  train(workload, into(folder, "copy"));
  const Weights from = read_weights(workload.weights_path);
  const Weights copy = read_weights(folder / "copy/model.safetensors");
  for (const auto& [name, tensor] : from) CHECK(copy.at(name).data == tensor.data);
}

}  // namespace bitpulse
