// SPDX-License-Identifier: Apache-2.0
#include "models/io/workload_reader.h"

#include <optional>
#include <utility>

#include "models/error.h"
#include "models/io/layer_reader.h"
#include "models/io/onnx_reader.h"
#include "models/io/quantization_reader.h"
#include "models/nets/nets.h"
#include "models/shape_inference.h"
#include "models/text.h"

namespace bitpulse {
namespace {

constexpr std::int64_t kMaxBatch = 65'536;
constexpr std::int64_t kMaxRunMacs = std::int64_t{1} << 60;     // of a whole batch
constexpr std::int64_t kMaxSeed = (std::int64_t{1} << 53) - 1;  // exact in every JSON reader

bool read_flag(const JsonValue& parent, const char* key) {
  const std::optional<JsonValue> json = parent.find(key);
  return json && json->boolean();
}

/// A path beside the JSON file; "" where the key is missing.
std::string path_or_none(const JsonValue& parent, const char* key) {
  const std::optional<JsonValue> json = parent.find(key);
  return json ? json->path() : "";
}

bool is_onnx(const std::string& text) {
  constexpr std::string_view kEnd = ".onnx";
  return text.size() > kEnd.size() &&
         text.compare(text.size() - kEnd.size(), kEnd.size(), kEnd) == 0;
}

void read_network(const JsonValue& json, Workload& workload) {
  if (json.is_string() && is_onnx(json.text())) {
    workload.network_path = workload.weights_path = json.path();
    try {
      workload.graph = import_onnx(workload.network_path).graph;
    } catch (const Error& error) {
      json.fail_with(error);
    }
    workload.network_name = workload.graph.name;
    return;
  }
  if (json.is_string()) {
    workload.network_name = json.text();
    try {
      workload.graph = build_network(workload.network_name);
    } catch (const Error& error) {
      json.fail_with(error);
    }
    return;
  }
  if (!json.is_object()) {
    json.fail(
        "the name of a built-in network, the path of an ONNX file, or an object with \"layers\" or "
        "\"nodes\"");
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
  data.format =
      static_cast<DataFormat>(1 + format.choice({"cifar10", "mnist", "images", "figures"}));
  const bool is_cifar = data.format == DataFormat::kCifar10;
  const bool is_made = data.format == DataFormat::kFigures;
  if ((is_cifar && input != Shape{3, 32, 32}) || (is_made && input != Shape{3, 24, 24})) {
    format.fail("a format of " + std::to_string(input.c) + " x " + std::to_string(input.h) + " x " +
                std::to_string(input.w) + " images, as the network takes");
  }
  if (!is_made) data.test = json.at("test").path();
  data.train = path_or_none(json, "train");
  data.test_labels = path_or_none(json, "test_labels");
  data.train_labels = path_or_none(json, "train_labels");
  for (const char* key : {"test_labels", "train_labels"}) {
    if (is_cifar && json.has(key)) {
      json.at(key).fail("no labels beside cifar10, whose files hold them");
    }
  }
  for (const char* key : {"test", "train", "test_labels", "train_labels"}) {
    if (is_made && json.has(key)) {
      json.at(key).fail("no files beside figures, which the program makes itself");
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

}  // namespace

const std::vector<std::string_view>& workload_keys() {
  static const std::vector<std::string_view> keys{"schema", "name",    "network", "batch",
                                                  "seed",   "weights", "data",    "quantization"};
  return keys;
}

Workload read_workload(const JsonValue& root) {
  root.require_schema("bitpulse/workload/1");
  root.only_keys(workload_keys());
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
    workload.weights_path = weights->path();
  }
  if (const std::optional<JsonValue> data = root.find("data")) {
    if (workload.is_layer_list) data->fail("no data for independent layers: they are seeded");
    workload.data = read_data(*data, workload.graph);
  }
  workload.quantization = read_quantization(root.at("quantization"));
  return workload;
}

}  // namespace bitpulse
