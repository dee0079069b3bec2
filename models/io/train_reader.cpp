// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "models/io/quantization_reader.h"

namespace bitpulse {
namespace {

constexpr double kMaxEpochs = 100'000;
constexpr std::int64_t kMaxSteps = 1'000'000'000;
constexpr std::int64_t kMaxBatch = 65'536;
constexpr std::int64_t kMaxImages = 10'000'000;
constexpr std::int64_t kMaxPad = 64;
constexpr std::int64_t kMaxSeed = (std::int64_t{1} << 53) - 1;  // exact in every JSON reader

void read(const JsonValue& parent, const char* key, double min, double max, double& value) {
  if (const std::optional<JsonValue> json = parent.find(key)) value = json->number(min, max);
}
void read(const JsonValue& parent, const char* key, std::int64_t min, std::int64_t max,
          std::int64_t& value) {
  if (const std::optional<JsonValue> json = parent.find(key)) value = json->integer(min, max);
}
void read(const JsonValue& parent, const char* key, bool& value) {
  if (const std::optional<JsonValue> json = parent.find(key)) value = json->boolean();
}

/// `key` has a meaning only where `choice` is made.
void only_beside(const JsonValue& parent, const char* key, bool made, const char* choice) {
  if (!made && parent.has(key)) parent.at(key).fail(std::string("it beside ") + choice + " only");
}

}  // namespace

TrainSpec published_training(const QuantizationSpec& spec) {
  TrainSpec train;
  train.epochs = 90;
  if (spec.method == "float") {
    train.lr = 0.1;
  } else if (spec.method == "llsq") {
    train.epochs = 100;
    train.lr = 2e-4;
  } else if (spec.method == "hawq") {
    train.epochs = std::max(spec.weights, spec.activations) >= 8 ? 1 : 90;
    train.lr = 1e-4;
    train.schedule = LearningRateSchedule::kStep;
    train.step_epochs = 30;
  } else {
    const int bits = std::max(spec.weights, spec.activations);
    if (bits >= 8) train.epochs = 1;
    train.lr = bits >= 8 ? 0.001 : 0.01;
    train.weight_decay = bits >= 4 ? 1e-4 : bits == 3 ? 0.5e-4 : 0.25e-4;
  }
  return train;
}

TrainSpec read_train(const JsonValue& json, const TrainSpec& published) {
  json.only_keys({"epochs",   "steps",         "batch",       "lr",       "momentum",
                  "schedule", "weight_decay",  "step_epochs", "crop_pad", "step_factor",
                  "flip",     "warmup_epochs", "warmup_from", "distill",  "temperature",
                  "init",     "fold_epochs",   "images",      "seed",     "resume"});
  TrainSpec spec = published;
  read(json, "epochs", 0, kMaxEpochs, spec.epochs);
  if (json.has("steps") && json.has("epochs")) json.at("steps").fail("it or \"epochs\", not both");
  read(json, "steps", 1, kMaxSteps, spec.steps);
  read(json, "batch", 1, kMaxBatch, spec.batch);
  read(json, "lr", 0, 1e3, spec.lr);
  read(json, "momentum", 0, 0.9999, spec.momentum);
  read(json, "weight_decay", 0, 1, spec.weight_decay);
  if (const std::optional<JsonValue> schedule = json.find("schedule")) {
    spec.schedule =
        static_cast<LearningRateSchedule>(schedule->choice({"cosine", "step", "constant"}));
  }
  const bool stepped = spec.schedule == LearningRateSchedule::kStep;
  only_beside(json, "step_epochs", stepped, "\"schedule\": \"step\"");
  only_beside(json, "step_factor", stepped, "\"schedule\": \"step\"");
  read(json, "step_epochs", 1e-3, kMaxEpochs, spec.step_epochs);
  read(json, "step_factor", 0, 1, spec.step_factor);
  only_beside(json, "warmup_from", json.has("warmup_epochs"), "\"warmup_epochs\"");
  read(json, "warmup_epochs", 0, kMaxEpochs, spec.warmup_epochs);
  read(json, "warmup_from", 0, 1, spec.warmup_from);
  read(json, "crop_pad", 0, kMaxPad, spec.crop_pad);
  read(json, "flip", spec.flip);
  only_beside(json, "temperature", json.has("distill"), "\"distill\"");
  read(json, "distill", 0, 1, spec.distill);
  read(json, "temperature", 0.01, 1000, spec.temperature);
  read(json, "fold_epochs", 0, kMaxEpochs, spec.fold_epochs);
  read(json, "images", 1, kMaxImages, spec.images);
  read(json, "resume", spec.resume);
  if (const std::optional<JsonValue> init = json.find("init")) spec.init = init->path();
  if (const std::optional<JsonValue> seed = json.find("seed")) {
    spec.seed = static_cast<std::uint64_t>(seed->integer(0, kMaxSeed));
  }
  return spec;
}

LsqSpec read_lsq(const JsonValue& json) {
  json.only_keys(
      {"per_channel", "step_init", "gradient_scale", "gradient_factor", "batch_features"});
  LsqSpec spec;
  read(json, "per_channel", spec.per_channel);
  if (const std::optional<JsonValue> init = json.find("step_init")) {
    spec.init = static_cast<StepInit>(init->choice({"paper", "mse"}));
  }
  read(json, "gradient_scale", spec.gradient_scale);
  read(json, "gradient_factor", 0, 1e6, spec.gradient_factor);
  read(json, "batch_features", spec.batch_features);
  return spec;
}

LlsqSpec read_llsq(const JsonValue& json) {
  json.only_keys(
      {"recipe", "update", "per_channel", "absolute_error", "ratio", "power_of_two", "momentum"});
  LlsqSpec spec;
  if (const std::optional<JsonValue> recipe = json.find("recipe")) {
    spec.recipe = static_cast<LlsqRecipe>(recipe->choice({"deploy", "q", "qfn", "qfi"}));
  }
  if (const std::optional<JsonValue> update = json.find("update")) {
    spec.update = static_cast<LlsqUpdate>(update->choice({"sg", "ema"}));
  }
  read(json, "per_channel", spec.per_channel);
  read(json, "absolute_error", spec.absolute_error);
  read(json, "ratio", 1.001, 16, spec.ratio);
  read(json, "power_of_two", spec.power_of_two);
  if (const std::optional<JsonValue> momentum = json.find("momentum")) {
    spec.momentum = momentum->number(0, 0.9999);
  }
  return spec;
}

HawqSpec read_hawq(const JsonValue& json) {
  json.only_keys({"range", "momentum", "batch"});
  HawqSpec spec;
  if (const std::optional<JsonValue> range = json.find("range")) {
    spec.range = static_cast<HawqRange>(range->choice({"average", "extremes"}));
  }
  only_beside(json, "momentum", spec.range == HawqRange::kAverage, "\"range\": \"average\"");
  read(json, "momentum", 0, 0.999999, spec.momentum);
  read(json, "batch", 1, kMaxBatch, spec.batch);
  return spec;
}

}  // namespace bitpulse
