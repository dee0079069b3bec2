// SPDX-License-Identifier: Apache-2.0
// The workload's JSON schema and its reader must give the same verdict, and every verdict of the
// reader must be a message that says where. Both are asked about valid workloads in which each
// value in turn is replaced by many others, removed, or joined by an unknown key.

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "models/io/shipped.h"
#include "models/io/workload_reader.h"
#include "models/nets/nets.h"
#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/schema.h"

namespace bitpulse {
namespace {

using Json = nlohmann::json;
using Pointer = Json::json_pointer;

const std::vector<Json>& valid_workloads() {
  static const std::vector<Json> workloads = [] {
    std::vector<Json> list;
    for (const char* text : {
             R"({"schema": "bitpulse/workload/1", "name": "r", "network": "resnet20-cifar",
                 "batch": 2, "seed": 7, "weights": "r20.safetensors",
                 "data": {"format": "cifar10", "test": "a.bin", "train": "b.bin",
                          "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.2, 0.2], "scale": 1, "bgr": true},
                 "quantization": {"method": "ptq", "weights": 4, "activations": 4,
                   "calibration": {"rule": "percentile", "images": 64, "percentile": 99.9},
                   "first_last": 8, "rounding": "half_even", "residual": "low_bit",
                   "multiplier": "llsq8", "narrow_range": true, "bn_reestimation": false,
                   "bias_correction": true, "average_pool_floor": false, "frozen_scales": "n.json",
                   "layers": {"layer3.*": {"weights": [[2, 48], [4, 16]], "activations": 4},
                              "conv1": {"weights": 3}}}})",
             R"({"schema": "bitpulse/workload/1", "name": "m", "network": "mlp-mnist",
                 "data": {"format": "mnist", "test": "t", "test_labels": "l", "train": "u",
                          "train_labels": "v", "mean": [0.1307], "std": [0.3081]},
                 "quantization": {"method": "ptq", "weights": 1, "activations": 16}})",
             R"({"schema": "bitpulse/workload/1", "name": "list", "network": {"layers": [
                 {"name": "c", "kind": "conv2d", "in": [4, 9, 9], "out_channels": 8,
                  "kernel": [3, 3], "stride": [2, 2], "pad": [1, 1, 1, 1], "dilation": [1, 1],
                  "groups": 2, "bias": true},
                 {"name": "l", "kind": "linear", "in": [8, 1, 1], "out_features": 3, "bias": false},
                 {"name": "g", "kind": "gemm", "m": 4, "k": 5, "n": 6},
                 {"name": "m", "kind": "max_pool", "in": [4, 8, 8], "kernel": [3, 3],
                  "stride": [2, 2], "pad": [1, 1, 1, 1], "dilation": [1, 1], "ceil_mode": true},
                 {"name": "a", "kind": "avg_pool", "in": [4, 8, 8], "kernel": [2, 2],
                  "stride": [2, 2], "pad": [0, 0, 0, 0]},
                 {"name": "p", "kind": "global_avg_pool", "in": [4, 8, 8]}]},
                 "quantization": {"method": "ptq", "weights": 8, "activations": 8}})",
             R"({"schema": "bitpulse/workload/1", "name": "graph", "network": {
                 "inputs": {"x": [4, 8, 8]},
                 "nodes": [
                  {"name": "conv", "kind": "conv2d", "inputs": ["x"], "out_channels": 4, "kernel": [3, 3], "pad": [1, 1, 1, 1]},
                  {"name": "bn", "kind": "batch_norm", "inputs": ["conv"], "eps": 0.001},
                  {"name": "relu", "kind": "relu", "inputs": ["bn"], "max": 6},
                  {"name": "slice", "kind": "slice_pad", "inputs": ["x"], "stride": 1, "channels_before": 0, "channels_after": 0},
                  {"name": "sum", "kind": "add", "inputs": ["relu", "slice"]},
                  {"name": "leaky", "kind": "leaky_relu", "inputs": ["sum"], "slope": 0.1},
                  {"name": "reorg", "kind": "reorg", "inputs": ["leaky"], "stride": 2},
                  {"name": "max", "kind": "max_pool", "inputs": ["leaky"], "kernel": [2, 2], "stride": [2, 2]},
                  {"name": "avg", "kind": "avg_pool", "inputs": ["leaky"], "kernel": [2, 2], "stride": [2, 2]},
                  {"name": "cat", "kind": "concat", "inputs": ["reorg", "max", "avg"]},
                  {"name": "mean", "kind": "global_avg_pool", "inputs": ["cat"]},
                  {"name": "flat", "kind": "flatten", "inputs": ["mean"]},
                  {"name": "fc", "kind": "linear", "inputs": ["flat"], "out_features": 10},
                  {"name": "gemm", "kind": "gemm", "inputs": ["fc"], "n": 3}],
                 "outputs": ["gemm"]},
                 "data": {"format": "images", "test": "folder"},
                 "quantization": {"method": "ptq", "weights": 8, "activations": 8}})",
             R"({"schema": "bitpulse/workload/1", "name": "lsq", "network": "resnet20-cifar",
                 "quantization": {"method": "lsq", "weights": 2, "activations": 2, "integers": "d",
                   "train": {"epochs": 2.5, "batch": 64, "lr": 0.01, "momentum": 0.9,
                     "weight_decay": 1e-4, "schedule": "step", "step_epochs": 20,
                     "step_factor": 0.1, "warmup_epochs": 1, "warmup_from": 0.4, "crop_pad": 4,
                     "flip": true, "distill": 0.5, "temperature": 4, "fold_epochs": 0,
                     "images": 100, "seed": 3, "init": "m.safetensors", "resume": false},
                   "lsq": {"per_channel": true, "step_init": "mse", "gradient_scale": false,
                     "gradient_factor": 10, "batch_features": true}}})",
             R"({"schema": "bitpulse/workload/1", "name": "llsq", "network": "resnet20-cifar",
                 "quantization": {"method": "llsq", "weights": 4, "activations": 4,
                   "train": {"steps": 450, "schedule": "cosine"},
                   "llsq": {"recipe": "qfn", "update": "ema", "per_channel": false,
                     "absolute_error": true, "ratio": 1.5, "power_of_two": true,
                     "momentum": 0.5}}})",
             R"({"schema": "bitpulse/workload/1", "name": "hawq", "network": "resnet20-cifar",
                 "quantization": {"method": "hawq", "weights": 4, "activations": 4,
                   "calibration": {"rule": "percentile", "percentile": 99.9},
                   "average_pool_floor": false,
                   "train": {"steps": 45, "step_epochs": 30, "distill": 0.95, "fold_epochs": 1},
                   "hawq": {"range": "average", "momentum": 0.95, "batch": 32}}})",
             R"({"schema": "bitpulse/workload/1", "name": "chosen", "network": "resnet20-cifar",
                 "quantization": {"method": "hawq",
                   "bits": {"auto": "hawq", "sensitivity": "s.json", "budget": {"size_mib": 1}},
                   "hawq": {"range": "extremes"}}})",
             R"({"schema": "bitpulse/workload/1", "name": "figures", "network": "resnet8-figures",
                 "data": {"format": "figures", "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]},
                 "quantization": {"method": "ptq", "weights": 8, "activations": 8}})",
             R"({"schema": "bitpulse/workload/1", "name": "float", "network": "mlp-mnist",
                 "quantization": {"method": "float", "train": {"epochs": 1}}})",
         }) {
      list.push_back(Json::parse(text));
    }
    return list;
  }();
  return workloads;
}

/// All pointers of a document, the root's first.
void collect(const Json& value, const Pointer& at, std::vector<Pointer>& pointers) {
  pointers.push_back(at);
  if (value.is_object()) {
    for (const auto& item : value.items()) collect(item.value(), at / item.key(), pointers);
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) collect(value[i], at / i, pointers);
  }
}

/// (2^64 - 1 is left to the reader's own tests: valijson takes it for -1.)
const std::vector<Json>& replacements() {
  static const std::vector<Json> values{nullptr,
                                        true,
                                        false,
                                        0,
                                        -1,
                                        1,
                                        2,
                                        16,
                                        17,
                                        65'537,
                                        16'777'216,
                                        16'777'217,
                                        std::int64_t{1} << 31,
                                        std::int64_t{1} << 53,
                                        INT64_MAX,

                                        INT64_MIN,
                                        -0.5,
                                        0.5,
                                        8.7,
                                        8.0,
                                        99.5,
                                        1e-31,
                                        1e300,
                                        "",
                                        "x",
                                        "ptq",
                                        "a\nb",
                                        std::string("nul\0", 4),
                                        std::string(256, 'n'),
                                        std::string(257, 'n'),
                                        std::string(4097, 'p'),
                                        "\xc3\xbc",
                                        Json::array(),
                                        Json::object(),
                                        {1},
                                        {1, 1},
                                        {1, 1, 1},
                                        {1, 1, 1, 1},
                                        {{2, 4}},
                                        {{17, 4}},
                                        {{"a", 1}},
                                        {"x", "x"}};
  return values;
}

/// What the reader says where the schema has nothing to say.
bool is_beyond_schemas(const std::string& text) {
  for (const char* phrase : {"one per input channel",
                             "as the network takes",
                             "of several inputs",
                             "not in colour",
                             "earlier node",
                             "no node reads",
                             "another node has this name",
                             "is larger than its padded",
                             "do not divide",
                             "does not divide",
                             "differ",
                             "padding alone",
                             "output elements",
                             "output channels",
                             "output height",
                             "output width",
                             "number of weights",
                             "multiply-accumulates",
                             "takes K x M x 1",
                             "at most 16777216 channels"}) {
    if (text.find(phrase) != std::string::npos) return true;
  }
  return false;
}

/// The pointer in "file: at /pointer: found ...", "" for the top level.
std::string pointer_of(const std::string& text) {
  const std::string begin = "w.json: at ";
  if (text.compare(0, begin.size(), begin) != 0) return "no pointer";
  const std::string pointer =
      text.substr(begin.size(), text.find(": ", begin.size()) - begin.size());
  return pointer == "the top level" ? "" : pointer;
}

class Judge {
 public:
  /// Compares the verdicts on a workload in which the value at `at` was changed.
  void judge(const Json& workload, const Pointer& at) {
    const std::string text = workload.dump();
    INFO("changed " << at.to_string() << ": " << text.substr(0, 2000));
    const bool accepted = schema_.accepts(workload);
    const auto refused = refusal([&] { read_workload(parse_json(text, "w.json")); });
    ++total;
    if (!refused) {
      ++read;
      CHECK(accepted);
      return;
    }
    INFO(refused->text);
    if (accepted) CHECK(is_beyond_schemas(refused->text));
    CHECK((refused->kind == ErrorKind::kInvalidInput || refused->kind == ErrorKind::kLimit));
    CHECK(refused->text.size() < 2000);
    // The message points at the change, beside it or above it; a changed network may point
    // anywhere.
    const std::string pointer = pointer_of(refused->text);
    const std::string parent = at.parent_pointer().to_string();
    const bool near = at.to_string().rfind("/network", 0) == 0 ||
                      pointer.compare(0, parent.size(), parent) == 0 ||
                      parent.compare(0, pointer.size(), pointer) == 0;
    CHECK(pointer.compare(0, 2, "no") != 0);
    CHECK(near);
  }

  int total = 0;
  int read = 0;

 private:
  Schema schema_{"workload"};
};

TEST_CASE("schema and reader accept the same valid workloads", "[models][workload][schema]") {
  Judge judge;
  for (const Json& workload : valid_workloads()) judge.judge(workload, Pointer());
  CHECK(judge.read == static_cast<int>(valid_workloads().size()));
}

TEST_CASE("schema and reader agree on every changed value", "[models][workload][schema][fuzz]") {
  Judge judge;
  for (const Json& workload : valid_workloads()) {
    std::vector<Pointer> pointers;
    collect(workload, Pointer(), pointers);
    for (const Pointer& at : pointers) {
      for (const Json& value : replacements()) {
        Json changed = workload;
        changed[at] = value;
        judge.judge(changed, at);
      }
    }
  }
  CHECK(judge.total > 8000);
  CHECK(judge.read > 500);
}

TEST_CASE("schema and reader agree on every key removed or added",
          "[models][workload][schema][fuzz]") {
  Judge judge;
  for (const Json& workload : valid_workloads()) {
    std::vector<Pointer> pointers;
    collect(workload, Pointer(), pointers);
    for (const Pointer& at : pointers) {
      if (workload[at].is_object()) {
        Json changed = workload;
        changed[at]["surprise"] = 1;
        judge.judge(changed, at / "surprise");
      }
      if (at.empty()) continue;
      Json changed = workload;
      Json& parent = changed[at.parent_pointer()];
      if (parent.is_array()) {
        parent.erase(std::stoul(at.back()));
      } else {
        parent.erase(at.back());
      }
      judge.judge(changed, at);
    }
  }
  CHECK(judge.total > 300);
}

TEST_CASE("schema and reader accept every shipped workload", "[models][workload][schema]") {
  Judge judge;
  for (const std::string& name : shipped_names("")) {
    CAPTURE(name);
    judge.judge(Json::parse(load_json(find_file(name, "")).raw_text()), Pointer());
  }
  CHECK(judge.read == judge.total);
  CHECK(judge.total >= 20);
}

TEST_CASE("the schema lists the built-in networks", "[models][workload][schema]") {
  const Schema schema("workload");
  const Json& listed = schema.document().at("/definitions/network/anyOf/0/enum"_json_pointer);
  std::set<std::string> names;
  for (const NetworkInfo& info : networks()) names.insert(info.name);
  CHECK(listed.get<std::set<std::string>>() == names);
}

}  // namespace
}  // namespace bitpulse
