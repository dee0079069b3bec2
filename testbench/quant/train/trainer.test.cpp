// SPDX-License-Identifier: Apache-2.0
#include "quant/train/trainer.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "models/io/safetensors.h"
#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/quant/train/stripes_training.h"

namespace bitpulse {

namespace {

constexpr const char* kFloat = R"({"method": "float", "train": {"epochs": 4, "batch": 32,
    "lr": 0.05, "crop_pad": 1, "flip": false}})";

/// metrics.csv without its last column, the seconds.
std::string figures(const std::string& folder) {
  std::istringstream lines(content(folder + "/metrics.csv"));
  std::string text, line;
  while (std::getline(lines, line)) text += line.substr(0, line.rfind(',')) + '\n';
  return text;
}

}  // namespace

TEST_CASE("a float network learns stripes", "[train]") {
  const TemporaryFolder folder;
  const TrainResult result = train(stripes(folder, kFloat), into(folder, "out"));
  CHECK(result.finished);
  CHECK(result.steps == 32);
  CHECK(result.test_images == 128);
  CHECK(result.test_right >= 120);  // chance is 32
}

TEST_CASE("a training stopped and resumed anywhere ends with the same bytes", "[train][resume]") {
  const TemporaryFolder folder;
  const Workload workload = stripes(folder, kFloat);
  const TrainOptions straight = into(folder, "straight");
  REQUIRE(train(workload, straight).finished);
  // In mid-epoch, at an epoch's end, just before the end, and after it.
  TrainOptions stopped = into(folder, "stopped");
  for (const std::int64_t stop : {1, 5, 8, 31, 32}) {
    stopped.stop_step = stop;
    const TrainResult result = train(workload, stopped);
    CHECK(result.step == stop);
    CHECK(result.finished == (stop == 32));
  }
  CHECK(train(workload, stopped).finished);
  const std::string model = content(straight.out + "/model.safetensors");
  CHECK(model.size() > 5'000);
  CHECK((content(stopped.out + "/model.safetensors") == model));
  CHECK(figures(stopped.out) == figures(straight.out));
}

TEST_CASE("steps after the last checkpoint are lost by a kill and done again", "[train][resume]") {
  const TemporaryFolder folder;
  const Workload workload = stripes(folder, kFloat);
  TrainOptions killed = into(folder, "killed");
  killed.stop_step = 11;
  train(workload, killed);
  const std::string early = content(killed.out + "/checkpoint.safetensors");
  killed.stop_step = -1;
  train(workload, killed);
  const std::string straight = content(killed.out + "/model.safetensors");
  const std::string rows = figures(killed.out);
  // As after a kill: the old checkpoint, newer rows in metrics.csv.
  std::ofstream(killed.out + "/checkpoint.safetensors", std::ios::binary) << early;
  std::filesystem::remove(killed.out + "/model.safetensors");
  CHECK(train(workload, killed).finished);
  CHECK((content(killed.out + "/model.safetensors") == straight));
  CHECK(figures(killed.out) == rows);
}

TEST_CASE("another seed trains another network", "[train]") {
  const TemporaryFolder folder;
  Workload workload = stripes(folder, kFloat);
  workload.quantization.train.steps = 2;
  train(workload, into(folder, "a"));
  workload.quantization.train.seed = 9;
  train(workload, into(folder, "b"));
  CHECK((content(folder / "a/model.safetensors") != content(folder / "b/model.safetensors")));
}

TEST_CASE("a checkpoint of another recipe is refused", "[train][bad]") {
  const TemporaryFolder folder;
  Workload workload = stripes(folder, kFloat);
  workload.quantization.train.steps = 1;
  TrainOptions options = into(folder, "out");
  train(workload, options);
  options.recipe = "another";
  CHECK_REFUSED(train(workload, options), ErrorKind::kInvalidInput, "another recipe", "resume");
  workload.quantization.train.resume = false;
  CHECK(train(workload, options).finished);
}

TEST_CASE("a loss that is not finite names its layer and keeps the checkpoint", "[train][bad]") {
  const TemporaryFolder folder;
  Workload workload = stripes(folder, kFloat);
  workload.quantization.train.steps = 3;
  workload.quantization.train.schedule = LearningRateSchedule::kConstant;
  const TrainOptions options = into(folder, "out");
  REQUIRE(train(workload, options).finished);
  const std::string good = content(options.out + "/checkpoint.safetensors");
  workload.quantization.train.steps = 200;
  workload.quantization.train.lr = 1e30;
  CHECK_REFUSED(train(workload, options), ErrorKind::kCheckFailed, "not finite", "c1",
                "checkpoint is kept");
  CHECK((content(options.out + "/checkpoint.safetensors") == good));
}

TEST_CASE("bad training data is refused before anything is trained", "[train][bad]") {
  const TemporaryFolder folder;
  const Workload workload = stripes(folder, kFloat);
  const TrainOptions options = into(folder, "out");
  const std::string labels = content(folder / "train-labels");
  const std::string images = content(folder / "train-images");

  std::string wrong = labels;
  wrong[20] = 4;
  folder.write("train-labels", wrong);
  CHECK_REFUSED(train(workload, options), ErrorKind::kInvalidInput, "train-labels", "label 4",
                "0..3");
  folder.write("train-labels", labels);
  folder.write("train-images", images.substr(0, images.size() - 1));
  CHECK_REFUSED(train(workload, options), ErrorKind::kInvalidInput, "train-images");
  folder.write("train-images", "");
  CHECK_REFUSED(train(workload, options), ErrorKind::kInvalidInput, "train-images");
  write_stripes(folder, "train", 0, 0);
  CHECK_REFUSED(train(workload, options), ErrorKind::kInvalidInput, "train-images", "found 0");
  CHECK(std::filesystem::is_empty(options.out));
}

TEST_CASE("unlabelled images, a missing teacher and an unknown device are refused",
          "[train][bad]") {
  const TemporaryFolder folder;
  Workload workload = stripes(folder, kFloat);
  TrainOptions options = into(folder, "out");
  options.device = "tpu";
  CHECK_REFUSED(train(workload, options), ErrorKind::kUsage, "tpu", "cuda");
  options.device = "cpu";
  workload.quantization.train.distill = 0.5;
  CHECK_REFUSED(train(workload, options), ErrorKind::kInvalidInput, "distill", "weights");
  workload.data.train_labels = "";
  CHECK_REFUSED(train(workload, options), ErrorKind::kInvalidInput, "no label");
}

}  // namespace bitpulse
