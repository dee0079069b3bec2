// SPDX-License-Identifier: Apache-2.0
#include "models/io/workload_reader.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "models/error.h"
#include "models/io/layer_reader.h"
#include "models/nets/nets.h"
#include "models/shape_inference.h"
#include "models/text.h"

namespace bitpulse {
namespace {

constexpr std::int64_t kMaxBits = 16;
constexpr std::int64_t kMaxBatch = 65'536;
constexpr std::int64_t kMaxImages = 10'000'000;
constexpr std::int64_t kMaxRunMacs = std::int64_t{1} << 60;     // of a whole batch
constexpr std::int64_t kMaxSeed = (std::int64_t{1} << 53) - 1;  // exact in every JSON reader
constexpr std::size_t kMaxPath = 4096;

/// A path beside the JSON file, made absolute.
std::string read_path(const JsonValue& json) {
  namespace fs = std::filesystem;
  const std::string text = json.text();
  if (text.empty() || utf8_size(text) > kMaxPath || text.find('\0') != std::string::npos) {
    json.fail("a path of 1.." + std::to_string(kMaxPath) + " characters");
  }
  const fs::path folder = fs::path(json.file()).parent_path();
  return fs::absolute(folder / text).lexically_normal().string();
}

std::string read_path(const JsonValue& parent, const char* key) {
  const std::optional<JsonValue> json = parent.find(key);
  return json ? read_path(*json) : "";
}

std::uint8_t read_bits(const JsonValue& json) {
  return static_cast<std::uint8_t>(json.integer(1, kMaxBits));
}

bool read_flag(const JsonValue& parent, const char* key) {
  const std::optional<JsonValue> json = parent.find(key);
  return json && json->boolean();
}

void read_network(const JsonValue& json, Workload& workload) {
  if (json.is_string()) {
    workload.network_name = json.text();
    try {
      workload.graph = build_network(workload.network_name);
    } catch (const Error& error) {
      throw Error(error.kind(), printable(json.file(), 400) + ": at /network: " + error.what());
    }
    return;
  }
  if (!json.is_object()) {
    json.fail("the name of a built-in network, or an object with \"layers\" or \"nodes\"");
  }
  workload.is_layer_list = json.has("layers");
  workload.network_name = workload.is_layer_list ? "layers" : "inline";
  workload.graph = workload.is_layer_list ? read_layer_list(json) : read_inline_graph(json);
}

/// One value per channel, `absent` where the key is missing.
std::vector<double> read_per_channel(const JsonValue& data, const char* key, double min, double max,
                                     double absent, std::int64_t channels) {
  const auto count = static_cast<std::size_t>(channels);
  const std::optional<JsonValue> json = data.find(key);
  if (!json) return std::vector<double>(count, absent);
  if (!json->is_array() || json->size() != count) {
    json->fail("an array of " + std::to_string(count) + " numbers, one per input channel");
  }
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back((*json)[i].number(min, max));
  return values;
}

DataSpec read_data(const JsonValue& json, const Graph& graph) {
  json.only_keys(
      {"format", "test", "train", "test_labels", "train_labels", "mean", "std", "scale", "bgr"});
  if (graph.inputs.size() != 1) json.fail("no data for a network of several inputs");
  const Shape input = graph.nodes[static_cast<std::size_t>(graph.inputs[0])].shape;

  DataSpec data;
  const JsonValue format = json.at("format");
  data.format = static_cast<DataFormat>(1 + format.choice({"cifar10", "mnist", "images"}));
  if (data.format == DataFormat::kCifar10 && input != Shape{3, 32, 32}) {
    format.fail("a format of " + std::to_string(input.c) + " x " + std::to_string(input.h) + " x " +
                std::to_string(input.w) + " images, as the network takes");
  }
  data.test = read_path(json.at("test"));
  data.train = read_path(json, "train");
  data.test_labels = read_path(json, "test_labels");
  data.train_labels = read_path(json, "train_labels");
  for (const char* key : {"test_labels", "train_labels"}) {
    if (data.format == DataFormat::kCifar10 && json.has(key)) {
      json.at(key).fail("no labels beside cifar10, whose files hold them");
    }
  }
  if (json.has("train_labels") && !json.has("train")) {
    json.at("train_labels").fail("\"train\" beside it");
  }
  if (const std::optional<JsonValue> scale = json.find("scale")) {
    data.scale = scale->number(1e-9, 1e9);
  }
  data.mean = read_per_channel(json, "mean", -1e6, 1e6, 0, input.c);
  data.std_dev = read_per_channel(json, "std", 1e-6, 1e6, 1, input.c);
  data.bgr = read_flag(json, "bgr");
  if (data.bgr && input.c != 3) json.at("bgr").fail("false for an input that is not in colour");
  return data;
}

/// 4, or [[2, 48], [4, 16]]: bits of runs of output channels.
std::vector<WidthRun> read_weight_bits(const JsonValue& json) {
  if (!json.is_array()) return {{read_bits(json), 0}};
  if (json.size() == 0) json.fail("bits, or an array of [bits, channels]");
  std::vector<WidthRun> runs;
  std::int64_t channels = 0;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const JsonValue run = json[i];
    if (!run.is_array() || run.size() != 2) run.fail("[bits, channels]");
    runs.push_back({read_bits(run[0]), run[1].integer(1, kMaxDim)});
    channels += runs.back().channels;
    if (channels > kMaxDim) json.fail("at most " + std::to_string(kMaxDim) + " channels");
  }
  return runs;
}

/// Zero points have no place in the integer network; say so rather than "unknown key".
void refuse_zero_points(const JsonValue& json) {
  for (const char* key : {"zero_point", "zero_points", "asymmetric"}) {
    if (json.has(key)) {
      json.at(key).fail(
          "no such key: asymmetric zero points are not supported; weights are symmetric, "
          "activations unsigned after a ReLU and symmetric elsewhere");
    }
  }
}

LayerBits read_layer_bits(const std::string& pattern, const JsonValue& json) {
  refuse_zero_points(json);
  json.only_keys({"weights", "activations"});
  if (pattern.empty()) json.fail("a pattern of layer names before it, not \"\"");
  if (json.size() == 0) json.fail("\"weights\", \"activations\" or both");
  LayerBits bits;
  bits.pattern = pattern;
  if (const std::optional<JsonValue> weights = json.find("weights")) {
    bits.weights = read_weight_bits(*weights);
  }
  if (const std::optional<JsonValue> activations = json.find("activations")) {
    bits.activations = read_bits(*activations);
  }
  return bits;
}

void read_calibration(const JsonValue& json, QuantizationSpec& spec) {
  refuse_zero_points(json);
  json.only_keys({"rule", "images", "percentile"});
  if (const std::optional<JsonValue> rule = json.find("rule")) {
    spec.calibration = static_cast<CalibrationRule>(rule->choice({"minmax", "percentile", "mse"}));
  }
  if (const std::optional<JsonValue> images = json.find("images")) {
    spec.calibration_images = images->integer(1, kMaxImages);
  }
  if (const std::optional<JsonValue> percentile = json.find("percentile")) {
    if (spec.calibration != CalibrationRule::kPercentile) {
      percentile->fail("it beside \"rule\": \"percentile\" only");
    }
    spec.percentile = percentile->number(50, 100);
  }
}

QuantizationSpec read_quantization(const JsonValue& json) {
  refuse_zero_points(json);
  json.only_keys({"method", "calibration", "weights", "activations", "first_last", "rounding",
                  "residual", "multiplier", "narrow_range", "bn_reestimation", "bias_correction",
                  "average_pool_floor", "frozen_scales", "layers"});
  QuantizationSpec spec;
  spec.method = json.at("method").text();
  json.at("method").choice({"ptq"});
  if (const std::optional<JsonValue> calibration = json.find("calibration")) {
    read_calibration(*calibration, spec);
  }
  spec.weights = read_bits(json.at("weights"));
  spec.activations = read_bits(json.at("activations"));
  if (const std::optional<JsonValue> bits = json.find("first_last")) {
    spec.first_last = read_bits(*bits);
  }
  if (const std::optional<JsonValue> rounding = json.find("rounding")) {
    spec.rounding = static_cast<Rounding>(rounding->choice({"half_up", "half_even", "half_away"}));
  }
  if (const std::optional<JsonValue> residual = json.find("residual")) {
    spec.residual = static_cast<ResidualStyle>(residual->choice({"stream16", "low_bit"}));
  }
  if (const std::optional<JsonValue> multiplier = json.find("multiplier")) {
    spec.multiplier = static_cast<MultiplierStyle>(multiplier->choice({"dyadic31", "llsq8"}));
  }
  spec.narrow_range = read_flag(json, "narrow_range");
  spec.bn_reestimation = read_flag(json, "bn_reestimation");
  spec.bias_correction = read_flag(json, "bias_correction");
  spec.average_pool_floor = read_flag(json, "average_pool_floor");
  spec.frozen_scales = read_path(json, "frozen_scales");
  if (const std::optional<JsonValue> layers = json.find("layers")) {
    if (layers->size() > kMaxNodes) layers->fail("at most " + std::to_string(kMaxNodes) + " keys");
    for (const auto& [pattern, bits] : layers->object_items()) {
      spec.layers.push_back(read_layer_bits(pattern, bits));
    }
  }
  return spec;
}

}  // namespace

Workload read_workload(const JsonValue& root) {
  root.require_schema("bitpulse/workload/1");
  root.only_keys({"schema", "name", "network", "batch", "seed", "weights", "data", "quantization"});
  Workload workload;
  workload.name = read_name(root.at("name"));
  read_network(root.at("network"), workload);
  if (const std::optional<JsonValue> batch = root.find("batch")) {
    workload.batch = batch->integer(1, kMaxBatch);
    const std::int64_t macs = count_macs(workload.graph);
    if (macs > kMaxRunMacs / workload.batch) {
      batch->fail("at most 2^60 multiply-accumulates in a run (one image has " +
                  std::to_string(macs) + ")");
    }
  }
  if (const std::optional<JsonValue> seed = root.find("seed")) {
    workload.seed = static_cast<std::uint64_t>(seed->integer(0, kMaxSeed));
  }
  if (const std::optional<JsonValue> weights = root.find("weights")) {
    if (workload.is_layer_list) weights->fail("no weights for independent layers: they are seeded");
    workload.weights_path = read_path(*weights);
  }
  if (const std::optional<JsonValue> data = root.find("data")) {
    if (workload.is_layer_list) data->fail("no data for independent layers: they are seeded");
    workload.data = read_data(*data, workload.graph);
  }
  workload.quantization = read_quantization(root.at("quantization"));
  return workload;
}

}  // namespace bitpulse
