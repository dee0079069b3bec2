// SPDX-License-Identifier: Apache-2.0
// HAWQ-V3: its fake quantizers, its folded batch norms, and a fine-tuning down to integers.

#include "models/io/safetensors.h"
#include "quant/evaluate.h"
#include "quant/float/float_executor.h"
#include "quant/methods/ptq.h"
#include "quant/train/fake_quant.h"
#include "quant/train/quantizers.h"
#include "quant/training_model.h"
#include "testbench/quant/train/stripes_training.h"
#include "testbench/quant/train/torch_catch.h"

namespace bitpulse {

namespace {

const at::Device kCpu(at::kCPU);

at::Tensor floats(const std::vector<float>& values, const std::vector<std::int64_t>& dims) {
  return to_tensor(values, dims, kCpu);
}

QuantizationSpec spec_of_hawq() {
  QuantizationSpec spec;
  spec.method = "hawq";
  spec.narrow_range = true;
  spec.rounding = Rounding::kHalfEven;
  spec.calibration = CalibrationRule::kMinMax;
  return spec;
}

std::string recipe(int bits, const std::string& train) {
  const std::string b = std::to_string(bits);
  return R"({"method": "hawq", "weights": )" + b + R"(, "activations": )" + b +
         R"(, "train": {"batch": 32, "schedule": "cosine", )" + train + "}}";
}

}  // namespace

TEST_CASE("a range averages over training batches, and over nothing else", "[train][hawq]") {
  const auto quantizer = make_activation_quantizer(spec_of_hawq(), {8, true}, 2, kCpu);
  const auto see = [&](float low, float high, bool training) {
    quantizer->forward(floats({low, high}, {1, 2}), training);
    return quantizer->step().item<float>() * 127;
  };
  CHECK(see(-1, 2, true) == Approx(2));
  CHECK(see(0, 12, true) == Approx(2.1));  // 0.99 x 2 + 0.01 x 12
  CHECK(see(0, 50, false) == Approx(2.1));
  CHECK(see(-300, 2.1f, true) == Approx(3.9801));  // the low end took over: 0.99 x 0.99 + 3
  CHECK(quantizer->range()[0].item<float>() == Approx(-3.9801));
  quantizer->freeze();
  CHECK(see(-300, 50, true) == Approx(3.9801));
  CHECK_FALSE(quantizer->step().requires_grad());
}

TEST_CASE("a range of percentiles leaves the outlier out", "[train][hawq]") {
  QuantizationSpec spec = spec_of_hawq();
  spec.calibration = CalibrationRule::kPercentile;
  spec.percentile = 99;
  std::vector<float> values(200, 1);
  values[7] = 100;
  const auto quantizer = make_activation_quantizer(spec, {4, false}, 200, kCpu);
  values[0] = 0;
  values[1] = 0;
  quantizer->forward(floats(values, {1, 200}), true);
  CHECK(quantizer->step().item<float>() == 1.0f / 15);
}

TEST_CASE("values are clipped to the range, gradients are not", "[train][hawq]") {
  const auto signed8 = make_activation_quantizer(spec_of_hawq(), {8, true}, 3, kCpu);
  signed8->forward(floats({0, 127, 0}, {1, 3}), true);
  signed8->freeze();
  at::Tensor value = floats({-300, 2.4f, 300}, {1, 3}).requires_grad_(true);
  const at::Tensor out = signed8->forward(value, true);
  CHECK((out == floats({-128, 2, 127}, {1, 3})).all().item<bool>());
  (out * floats({3, 4, 5}, {1, 3})).sum().backward();
  CHECK((value.grad() == floats({3, 4, 5}, {1, 3})).all().item<bool>());

  const auto unsigned4 = make_activation_quantizer(spec_of_hawq(), {4, false}, 3, kCpu);
  unsigned4->forward(floats({0, 15, 0}, {1, 3}), true);
  unsigned4->freeze();
  CHECK((unsigned4->forward(floats({-3, 7.6f, 16}, {1, 3}), true) == floats({0, 8, 15}, {1, 3}))
            .all()
            .item<bool>());
}

TEST_CASE("weight scales follow the weights, channel by channel", "[train][hawq]") {
  const auto quantizer = make_weight_quantizer(spec_of_hawq(), {4, 4, 4}, true, "layer", kCpu);
  const at::Tensor weight =
      floats({7, -3.4f, 0, 0.5f, -1.4f, 0.1f, 0, 0, 0}, {3, 3, 1, 1}).requires_grad_(true);
  const at::Tensor out = quantizer->forward(weight, true);
  CHECK((quantizer->step() == floats({1, 1.4f / 7, 1e-8f / 7}, {3})).all().item<bool>());
  CHECK(
      (out - floats({7, -3, 0, 0.4f, -1.4f, 0, 0, 0, 0}, {3, 3, 1, 1})).abs().max().item<float>() <
      1e-6f);
  out.sum().backward();
  CHECK((weight.grad() == 1).all().item<bool>());
  quantizer->forward(weight.detach() * 2, false);
  CHECK(quantizer->step()[0].item<float>() == 2);
  CHECK_FALSE(quantizer->keeps_steps());
}

TEST_CASE("folded, batch norms are part of the weights and still learn", "[train][hawq]") {
  const TemporaryFolder folder;
  const Workload workload = stripes(folder, recipe(4, R"("epochs": 1, "fold_epochs": 1)"));
  Weights weights = seeded_weights(workload.graph, workload.data, 3, 1);
  weights.at("n1.weight").data[2] *= -1;
  const FloatBatch inputs = normalize(seeded_images({1, 8, 8}, 16, 5), 0, 16, workload.data);
  const at::Tensor images = to_tensor(inputs.data, {16, 1, 8, 8}, kCpu);
  TorchNetwork network(workload.graph, weights, kCpu);
  Quantizers quantizers(workload, kCpu);
  const at::Tensor real = network.forward(images, false, &quantizers).detach();
  quantizers.fold(network);
  const at::Tensor folded = network.forward(images, true, &quantizers);
  const double scale = real.abs().max().item<double>();
  CHECK((folded - real).abs().max().item<double>() < 0.1 * scale);  // biases are rounded

  folded.square().sum().backward();
  for (const char* name : {"n1.weight", "n1.bias", "n2.weight", "c1.weight", "fc.bias"}) {
    CAPTURE(name);
    CHECK(network.tensor(name).grad().abs().max().item<double>() > 0);
  }
  CHECK((network.tensor("n1.running_mean") == floats(weights.at("n1.running_mean").data, {8}))
            .all()
            .item<bool>());

  Weights model = network.weights();
  for (const NamedTensor& step : quantizers.steps()) model[step.name] = to_values(step.value);
  const FloatBatch expected = TrainingModel(workload, model, 1).run({inputs})[0];
  const double apart =
      (folded.detach() - to_tensor(expected.data, {16, 4}, kCpu)).abs().mean().item<double>();
  CHECK(apart < 0.002 * scale);
}

TEST_CASE("fine-tuned by HAWQ-V3, integers classify as trained and beat post-training ones",
          "[train][hawq]") {
  const int bits = GENERATE(2, 4);
  CAPTURE(bits);
  const TemporaryFolder folder;
  Workload workload = pretrained(
      folder, recipe(bits, R"("epochs": 6, "lr": 0.02, "fold_epochs": 2, "distill": 0.5)"));
  workload.quantization.first_last = static_cast<std::uint8_t>(bits);
  const TrainOptions options = into(folder, "out");
  const TrainResult result = train(workload, options);
  const Weights model = read_weights(options.out + "/model.safetensors");
  const ImageSet calibration = read_images(workload.data, Split::kTrain, {1, 8, 8}, 4, 0, 64);
  const ImageSet test = read_images(workload.data, Split::kTest, {1, 8, 8}, 4, 0, -1);
  const IntegerNetwork network = quantize_ptq(workload, model, calibration, 1);
  const Accuracy tuned = evaluate(workload, model, network, test, {});
  CHECK(tuned.differing_elements == 0);
  CHECK(tuned.compared_elements > 10'000);
  CHECK(std::abs(tuned.integer_top1 - result.test_right) <= 2);
  for (const StoredTensor& tensor : network.tensors) {
    const auto step = model.find(tensor.name + ".step");
    if (step != model.end()) CHECK(tensor.scale == static_cast<double>(step->second.data[0]));
  }

  workload.quantization.learns = false;
  const Weights real = read_weights(workload.weights_path);
  const Accuracy post =
      evaluate(workload, real, quantize_ptq(workload, real, calibration, 1), test, {});
  INFO("of 128: fine-tuned " << tuned.integer_top1 << ", post-training " << post.integer_top1);
  CHECK(tuned.integer_top1 >= 118);
  if (bits == 2) CHECK(post.integer_top1 <= tuned.integer_top1 - 10);
}

TEST_CASE("a fine-tuning by HAWQ-V3 resumes with the same bytes, and folding fixes its ranges",
          "[train][hawq][resume]") {
  const TemporaryFolder folder;
  const Workload workload =
      pretrained(folder, recipe(4, R"("steps": 12, "lr": 0.01, "fold_epochs": 0.5)"));
  const TrainOptions straight = into(folder, "straight");
  train(workload, straight);
  TrainOptions stopped = into(folder, "stopped");
  std::vector<Weights> states;
  for (const std::int64_t stop : {7, 8, 10, 12}) {  // 8 are unfolded
    stopped.stop_step = stop;
    train(workload, stopped);
    states.push_back(read_weights(stopped.out + "/checkpoint.safetensors"));
  }
  CHECK((content(stopped.out + "/model.safetensors") ==
         content(straight.out + "/model.safetensors")));
  for (const char* name : {"r1:u4.range", "r1:u4.step", "n1.running_var"}) {
    CAPTURE(name);
    CHECK(states[0].at(name).data != states[1].at(name).data);
    CHECK(states[1].at(name).data == states[3].at(name).data);
  }
  CHECK(states[1].at("n1.weight").data != states[3].at("n1.weight").data);
}

}  // namespace bitpulse
