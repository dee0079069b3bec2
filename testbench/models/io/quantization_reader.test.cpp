// SPDX-License-Identifier: Apache-2.0
#include "models/io/quantization_reader.h"

#include <string>

#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/models/io/workload_documents.h"

namespace bitpulse {
namespace {

constexpr ErrorKind kInvalid = ErrorKind::kInvalidInput;

TEST_CASE("other quantization methods are refused by name", "[models][workload]") {
  std::string text = kResnet20;
  text.replace(text.find("\"ptq\""), 5, "\"dorefa\"");
  CHECK_REFUSED(read_workload_text(text), kInvalid, "/quantization/method", "\"dorefa\"",
                "\"ptq\"");
}

QuantizationSpec learned(const std::string& keys) {
  return read_workload_text(
             R"({"schema": "bitpulse/workload/1", "name": "n", "network": "resnet20-cifar",
                  "quantization": {)" +
             keys + "}}")
      .quantization;
}

TEST_CASE("what a training leaves out is its method's paper's", "[models][workload]") {
  const auto lsq = [](const std::string& bits) {
    return learned(R"("method": "lsq", "weights": )" + bits + R"(, "activations": )" + bits);
  };
  CHECK(lsq("2").train.weight_decay == 0.25e-4);
  CHECK(lsq("3").train.weight_decay == 0.5e-4);
  CHECK(lsq("4").train.weight_decay == 1e-4);
  CHECK(lsq("4").train.lr == 0.01);
  CHECK(lsq("4").train.epochs == 90);
  CHECK(lsq("8").train.lr == 0.001);
  CHECK(lsq("8").train.epochs == 1);
  CHECK(lsq("4").first_last == 8);
  CHECK(lsq("4").residual == ResidualStyle::kStream16);
  const QuantizationSpec llsq = learned(R"("method": "llsq", "weights": 4, "activations": 4)");
  CHECK(llsq.train.lr == 2e-4);
  CHECK(llsq.residual == ResidualStyle::kLowBit);
  CHECK(llsq.multiplier == MultiplierStyle::kLlsq8);
  CHECK(learned(R"("method": "float", "train": {"lr": 0.05})").train.lr == 0.05);
}

TEST_CASE("HAWQ-V3 is fine-tuned where it has a recipe, by the published one",
          "[models][workload]") {
  const QuantizationSpec post = learned(R"("method": "hawq", "weights": 4, "activations": 4)");
  CHECK_FALSE(post.learns);
  CHECK(post.calibration == CalibrationRule::kMinMax);
  CHECK(post.widest_unsigned == 4);
  CHECK(post.narrow_range);
  CHECK(post.average_pool_floor);
  CHECK(post.first_last == 8);
  CHECK(post.residual == ResidualStyle::kStream16);
  CHECK(post.hawq.momentum == 0.99);
  CHECK(post.hawq.range == HawqRange::kAverage);
  const QuantizationSpec tuned =
      learned(R"("method": "hawq", "weights": 4, "activations": 4, "average_pool_floor": false,
                 "train": {"step_factor": 0.5})");
  CHECK(tuned.learns);
  CHECK_FALSE(tuned.average_pool_floor);
  CHECK(tuned.train.lr == 1e-4);
  CHECK(tuned.train.epochs == 90);
  CHECK(tuned.train.schedule == LearningRateSchedule::kStep);
  CHECK(tuned.train.step_epochs == 30);
  CHECK(tuned.train.step_factor == 0.5);
  for (const char* keys : {R"("residual": "low_bit")", R"("multiplier": "llsq8")",
                           R"("bn_reestimation": true)", R"("lsq": {})"}) {
    CAPTURE(keys);
    CHECK_REFUSED(
        learned(R"("method": "hawq", "weights": 4, "activations": 4, )" + std::string(keys)),
        kInvalid, "/quantization", "unknown key");
  }
  CHECK_REFUSED(learned(R"("method": "hawq", "weights": 4, "activations": 4,
                           "calibration": {"rule": "mse"})"),
                kInvalid, "/quantization/calibration/rule", "mse", "percentile");
  CHECK_REFUSED(learned(R"("method": "hawq", "weights": 4, "activations": 4,
                           "hawq": {"range": "extremes", "momentum": 0.9})"),
                kInvalid, "/quantization/hawq/momentum", "average");
}

TEST_CASE("keys of another quantization method are refused", "[models][workload]") {
  for (const char* keys : {R"("method": "lsq", "weights": 4, "activations": 4, "llsq": {})",
                           R"("method": "llsq", "weights": 4, "activations": 4, "lsq": {})",
                           R"("method": "ptq", "weights": 4, "activations": 4, "train": {})",
                           R"("method": "lsq", "weights": 4, "activations": 4,
                              "narrow_range": true)",
                           R"("method": "float", "train": {}, "weights": 4)"}) {
    CAPTURE(keys);
    CHECK_REFUSED(learned(keys), kInvalid, "/quantization", "unknown key");
  }
  CHECK_REFUSED(learned(R"("method": "lsq", "weights": 4, "activations": 4,
                           "train": {"temperature": 2})"),
                kInvalid, "/quantization/train/temperature", "distill");
  CHECK_REFUSED(learned(R"("method": "llsq", "weights": 4, "activations": 4, "first_last": 8,
                           "llsq": {"recipe": "qfn"})"),
                kInvalid, "/quantization/first_last", "sets the ends");
  CHECK_REFUSED(learned(R"("method": "float", "train": {"fold_epochs": 1})"), kInvalid,
                "/quantization/train/fold_epochs", "nothing is quantized");
}

TEST_CASE("asymmetric zero points are refused with their own message", "[models][workload]") {
  for (const char* place : {"", "/calibration", "/layers/conv1"}) {
    for (const char* key : {"zero_point", "zero_points", "asymmetric"}) {
      const std::string pointer = std::string("/quantization") + place + "/" + key;
      CHECK_REFUSED(read_workload_text(changed(pointer, "true")), kInvalid,
                    "asymmetric zero points are not supported", pointer.c_str());
    }
  }
}

}  // namespace
}  // namespace bitpulse
