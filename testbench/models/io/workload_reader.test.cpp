// SPDX-License-Identifier: Apache-2.0
#include "models/io/workload_reader.h"

#include <filesystem>
#include <string>

#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/models/io/workload_documents.h"

namespace bitpulse {
namespace {

constexpr ErrorKind kInvalid = ErrorKind::kInvalidInput;

Workload read(const std::string& text) { return read_workload_text(text); }

TEST_CASE("every key of a workload arrives in its field", "[models][workload]") {
  const Workload w = read(kResnet20);
  CHECK(w.name == "resnet20 at 4 bits");
  CHECK(w.network_name == "resnet20-cifar");
  CHECK(w.graph.name == "resnet20-cifar");
  CHECK_FALSE(w.is_layer_list);
  CHECK(w.batch == 2);
  CHECK(w.seed == 7);
  CHECK(w.weights_path == "/r20.safetensors");
  CHECK(w.data.format == DataFormat::kCifar10);
  CHECK(w.data.test == "/folder/test.bin");
  CHECK(w.data.train == "/abs/train.bin");
  CHECK(w.data.test_labels.empty());
  CHECK(w.data.mean == std::vector<double>{0.485, 0.456, 0.406});
  CHECK(w.data.std_dev == std::vector<double>{0.229, 0.224, 0.225});
  CHECK(w.data.scale == 1);
  CHECK(w.data.bgr);
  const QuantizationSpec& q = w.quantization;
  CHECK(q.method == "ptq");
  CHECK(q.calibration == CalibrationRule::kPercentile);
  CHECK(q.calibration_images == 64);
  CHECK(q.percentile == 99.9);
  CHECK(q.weights == 4);
  CHECK(q.activations == 3);
  CHECK(q.first_last == 8);
  CHECK(q.rounding == Rounding::kHalfEven);
  CHECK(q.residual == ResidualStyle::kLowBit);
  CHECK(q.multiplier == MultiplierStyle::kLlsq8);
  CHECK(q.narrow_range);
  CHECK(q.bn_reestimation);
  CHECK(q.bias_correction);
  CHECK(q.average_pool_floor);
  CHECK(q.frozen_scales == "/folder/net/network.json");
  REQUIRE(q.layers.size() == 3);
  CHECK(q.layers[0].pattern == "layer3.*");
  CHECK(q.layers[0].weights == std::vector<WidthRun>{{2, 48}, {4, 16}});
  CHECK(q.layers[0].activations == std::uint8_t{4});
  CHECK(q.layers[1].pattern == "layer1.*");  // the document's order, for later entries win
  CHECK(q.layers[1].weights == std::vector<WidthRun>{{2, 0}});
  CHECK_FALSE(q.layers[1].activations);
  CHECK(q.layers[2].weights.empty());
}

TEST_CASE("what a workload leaves out has the defaults of its struct", "[models][workload]") {
  const Workload w = read(R"({"schema": "bitpulse/workload/1", "name": "n", "network": "mlp-mnist",
                              "quantization": {"method": "ptq", "weights": 8, "activations": 8}})");
  CHECK(w.batch == 1);
  CHECK(w.seed == 1);
  CHECK(w.weights_path.empty());
  CHECK(w.data.format == DataFormat::kNone);
  CHECK(w.data.mean.empty());
  CHECK(w.quantization.calibration == CalibrationRule::kMse);
  CHECK(w.quantization.first_last == 0);
  CHECK(w.quantization.rounding == Rounding::kHalfUp);
  CHECK(w.quantization.residual == ResidualStyle::kStream16);
  CHECK(w.quantization.multiplier == MultiplierStyle::kDyadic31);
  CHECK(w.quantization.frozen_scales.empty());
  const Workload with_data = read(R"({"schema": "bitpulse/workload/1", "name": "n",
      "network": "mlp-mnist", "data": {"format": "mnist", "test": "t", "test_labels": "l"},
      "quantization": {"method": "ptq", "weights": 8, "activations": 8}})");
  CHECK(with_data.data.mean == std::vector<double>{0});
  CHECK(with_data.data.std_dev == std::vector<double>{1});
  CHECK(with_data.data.scale == 1.0 / 255);
  CHECK(with_data.data.test_labels == "/folder/l");
}

TEST_CASE("relative paths start at the folder of the JSON", "[models][workload]") {
  const std::string text = R"({"schema": "bitpulse/workload/1", "name": "n", "network": "mlp-mnist",
      "weights": "w.safetensors", "quantization": {"method": "ptq", "weights": 8, "activations": 8}})";
  const auto path = [&](const char* file) {
    return read_workload(parse_json(text, file)).weights_path;
  };
  const std::string here = std::filesystem::current_path().string();
  CHECK(path("w.json") == here + "/w.safetensors");
  CHECK(path("a/../b/w.json") == here + "/b/w.safetensors");
  CHECK(path("/x/y/w.json") == "/x/y/w.safetensors");
}

std::string with_network(const std::string& network) {
  return R"({"schema": "bitpulse/workload/1", "name": "n", "network": )" + network +
         R"(, "quantization": {"method": "ptq", "weights": 8, "activations": 8}})";
}

TEST_CASE("a list of layers gives each its own input and output", "[models][workload]") {
  const Workload w = read(with_network(R"({"layers": [
    {"name": "c1", "kind": "conv2d", "in": [3, 224, 224], "out_channels": 64, "kernel": [7, 7],
     "stride": [2, 2], "pad": [3, 3, 3, 3], "dilation": [1, 1], "groups": 1},
    {"name": "g1", "kind": "gemm", "m": 196, "k": 1152, "n": 256},
    {"name": "fc", "kind": "linear", "in": [512, 1, 1], "out_features": 10},
    {"name": "p", "kind": "max_pool", "in": [4, 8, 8], "kernel": [2, 2], "stride": [2, 2]}]})"));
  CHECK(w.is_layer_list);
  CHECK(w.network_name == "layers");
  REQUIRE(w.graph.inputs.size() == 4);
  REQUIRE(w.graph.outputs.size() == 4);
  const auto out = [&](std::size_t i) {
    return w.graph.nodes[static_cast<std::size_t>(w.graph.outputs[i])];
  };
  CHECK(out(0).name == "c1");
  CHECK(out(0).shape == Shape{64, 112, 112});
  CHECK(out(1).shape == Shape{256, 196, 1});
  CHECK(out(2).shape == Shape{10, 1, 1});
  CHECK(out(3).shape == Shape{4, 4, 4});
  CHECK(count_macs(w.graph) == 118'013'952 + 196 * 1152 * 256 + 5120);
}

TEST_CASE("an inline graph names its nodes", "[models][workload]") {
  const Workload w = read(with_network(R"({
    "inputs": {"z": [4, 8, 8], "a": [4, 8, 8]},
    "nodes": [
      {"name": "conv", "kind": "conv2d", "inputs": ["z"], "out_channels": 8, "kernel": [3, 1],
       "pad": [1, 1, 0, 0], "stride": [1, 2], "groups": 4, "bias": true},
      {"name": "bn", "kind": "batch_norm", "inputs": ["conv"], "eps": 0.001},
      {"name": "relu", "kind": "relu", "inputs": ["bn"], "max": 6},
      {"name": "slice", "kind": "slice_pad", "inputs": ["a"], "channels_before": 1, "channels_after": 3},
      {"name": "pool", "kind": "avg_pool", "inputs": ["slice"], "kernel": [1, 2], "stride": [1, 2]},
      {"name": "sum", "kind": "add", "inputs": ["relu", "pool"]},
      {"name": "leaky", "kind": "leaky_relu", "inputs": ["sum"], "slope": 0.125},
      {"name": "reorg", "kind": "reorg", "inputs": ["leaky"], "stride": 2},
      {"name": "both", "kind": "concat", "inputs": ["reorg", "reorg"]},
      {"name": "flat", "kind": "flatten", "inputs": ["both"]},
      {"name": "fc", "kind": "linear", "inputs": ["flat"], "out_features": 5, "bias": false},
      {"name": "mean", "kind": "global_avg_pool", "inputs": ["both"]}],
    "outputs": ["mean", "fc"]})"));
  const auto& nodes = w.graph.nodes;
  REQUIRE(nodes.size() == 14);
  CHECK(w.network_name == "inline");
  CHECK(nodes[0].name == "z");
  CHECK(w.graph.inputs == std::vector<NodeId>{0, 1});
  CHECK(w.graph.outputs == std::vector<NodeId>{13, 12});
  CHECK(nodes[2].shape == Shape{8, 8, 4});
  const auto& conv = std::get<Conv2d>(nodes[2].layer);
  CHECK(conv.bias);
  CHECK(conv.groups == 4);
  CHECK(conv.window.stride_w == 2);
  CHECK(conv.window.pad_bottom == 1);
  CHECK(std::get<BatchNorm>(nodes[3].layer).eps == 0.001);
  CHECK(std::get<Relu>(nodes[4].layer).max == 6.0);
  CHECK(std::get<LeakyRelu>(nodes[8].layer).slope == 0.125);
  CHECK(nodes[10].shape == Shape{64, 4, 2});
  CHECK_FALSE(std::get<Linear>(nodes[12].layer).bias);
}

TEST_CASE("a network that does not fit is refused where it is written", "[models][workload]") {
  CHECK_REFUSED(read(with_network("\"resnet17\"")), kInvalid, "w.json: at /network", "resnet18");
  CHECK_REFUSED(read(with_network("17")), kInvalid, "at /network: found 17");
  CHECK_REFUSED(read(with_network("{\"layers\": []}")), kInvalid, "/network/layers",
                "at least one");
  const auto layer = [](const std::string& fields) {
    return with_network("{\"layers\": [{\"name\": \"x\", " + fields + "}]}");
  };
  CHECK_REFUSED(read(layer(R"("kind": "relu", "in": [1, 1, 1])")), kInvalid,
                "/network/layers/0/kind", "conv2d");
  CHECK_REFUSED(read(layer(R"("kind": "gemm", "in": [1, 1, 1], "n": 1)")), kInvalid, "/in", "'in'");
  CHECK_REFUSED(read(layer(R"("kind": "linear", "in": [1, 1], "out_features": 1)")), kInvalid,
                "/in", "3 integers");
  CHECK_REFUSED(read(layer(R"("kind": "linear", "in": [1, 1, 0], "out_features": 1)")), kInvalid,
                "/in/2: found 0");
  CHECK_REFUSED(read(layer(R"("kind": "linear", "in": [1, 1, 8.7], "out_features": 1)")), kInvalid,
                "found 8.7");
  CHECK_REFUSED(
      read(layer(R"("kind": "linear", "in": [16777216, 16777216, 16777216], "out_features": 1)")),
      kInvalid, "/network/layers/0: ", "output elements");
  CHECK_REFUSED(
      read(layer(R"("kind": "linear", "in": [1, 1, 9223372036854775807], "out_features": 1)")),
      kInvalid, "/in/2");
  CHECK_REFUSED(
      read(layer(R"("kind": "conv2d", "in": [3, 4, 4], "out_channels": 1, "kernel": [5, 5])")),
      kInvalid, "/network/layers/0", "'x'", "window of 5");
  CHECK_REFUSED(
      read(layer(
          R"("kind": "conv2d", "in": [3, 4, 4], "out_channels": 1, "kernel": [1, 1], "strides": [1, 1])")),
      kInvalid, "/strides", "did you mean 'stride'?");

  const auto graph = [](const std::string& nodes, const std::string& outputs) {
    return with_network(R"({"inputs": {"x": [1, 4, 4]}, "nodes": [)" + nodes + "], \"outputs\": [" +
                        outputs + "]}");
  };
  const std::string relu = R"({"name": "r", "kind": "relu", "inputs": ["x"]})";
  CHECK(read(graph(relu, "\"r\"")).graph.nodes.size() == 2);
  CHECK_REFUSED(read(graph(relu, "\"s\"")), kInvalid, "/network/outputs/0", "found \"s\"");
  CHECK_REFUSED(read(graph(relu, "\"r\", \"r\"")), kInvalid, "/network/outputs/1", "once");
  CHECK_REFUSED(read(graph(relu, "\"x\"")), kInvalid, "/network/outputs", "'r'", "no node reads");
  CHECK_REFUSED(read(graph(relu, "")), kInvalid, "/network/outputs", "at least one");
  CHECK_REFUSED(read(graph(relu + "," + relu, "\"r\"")), kInvalid, "/network/nodes/1", "'r'");
  CHECK_REFUSED(read(graph(R"({"name": "r", "kind": "relu", "inputs": ["r"]})", "\"r\"")), kInvalid,
                "/network/nodes/0/inputs/0", "earlier node");
  CHECK_REFUSED(read(graph(R"({"name": "a\nb", "kind": "relu", "inputs": ["x"]})", "\"x\"")),
                kInvalid, "/network/nodes/0/name", "printable");
}

TEST_CASE("a graph of a million nodes is refused by its size", "[models][workload][limits]") {
  std::string nodes;
  for (int i = 0; i < 100'000; ++i) nodes += "{},";
  nodes.back() = ' ';
  CHECK_REFUSED(read(with_network(R"({"inputs": {"x": [1, 1, 1]}, "nodes": [)" + nodes +
                                  R"(], "outputs": ["x"]})")),
                ErrorKind::kLimit, "/network/nodes", "100000", "16384");
  CHECK_REFUSED(read(with_network("{\"layers\": [" + nodes + "]}")), ErrorKind::kLimit,
                "/network/layers", "8192");
}

TEST_CASE("figures are made for one size of image and have no files", "[models][workload]") {
  const auto figures = [](const std::string& network, const std::string& more) {
    return read(R"({"schema": "bitpulse/workload/1", "name": "f", "network": ")" + network +
                R"(", "data": {"format": "figures")" + more +
                R"(}, "quantization": {"method": "ptq", "weights": 8, "activations": 8}})");
  };
  const Workload workload = figures("resnet8-figures", "");
  CHECK(workload.data.has_test());
  CHECK(workload.data.has_train());
  CHECK_REFUSED(figures("resnet20-cifar", ""), kInvalid, "/data/format", "3 x 32 x 32");
  for (const std::string key : {"test", "train", "test_labels", "train_labels"}) {
    const std::string pointer = "/data/" + key;
    CHECK_REFUSED(figures("resnet8-figures", ", \"" + key + "\": \"f\""), kInvalid, pointer.c_str(),
                  "makes itself");
  }
}

TEST_CASE("values out of range name their pointer", "[models][workload]") {
  struct Bad {
    const char* pointer;
    const char* value;
    const char* says;
  };
  for (const Bad& bad : {
           Bad{"/schema", "bitpulse/workload/2", "bitpulse/workload/1"},
           {"/surprise", "1", "unknown key 'surprise'"},
           {"/name", "\"\"", "printable name"},
           {"/batch", "0", "1..65536"},
           {"/batch", "-1", "found -1"},
           {"/batch", "8.7", "found 8.7"},
           {"/seed", "-1", "found -1"},
           {"/seed", "18446744073709551615", "found 18446744073709551615"},
           {"/weights", "\"\"", "a path"},
           {"/weights", "3", "a string"},
           {"/data/format", "cifar100", "did you mean 'cifar10'?"},
           {"/data/mean", "[0.5]", "3 numbers"},
           {"/data/mean/1", "1e300", "found 1e+300"},
           {"/data/std/1", "0", "found 0"},
           {"/data/std/1", "-1", "found -1"},
           {"/data/scale", "0", "found 0"},
           {"/data/bgr", "1", "true or false"},
           {"/data/test_labels", "l", "hold them"},
           {"/quantization/weights", "0", "1..16"},
           {"/quantization/weights", "17", "1..16"},
           {"/quantization/activations", "33", "1..16"},
           {"/quantization/first_last", "0", "1..16"},
           {"/quantization/rounding", "half_down", "half_up"},
           {"/quantization/residual", "none", "stream16"},
           {"/quantization/multiplier", "float", "dyadic31"},
           {"/quantization/narrow_range", "\"true\"x", "true or false"},
           {"/quantization/calibration/rule", "max", "minmax"},
           {"/quantization/calibration/images", "0", "found 0"},
           {"/quantization/calibration/percentile", "101", "found 101"},
           {"/quantization/calibration/percentile", "NaN", "found \"NaN\""},
           {"/quantization/layers/conv1", "{}", "\"weights\""},
           {"/quantization/layers/conv1", "{\"weight\": 4}", "did you mean 'weights'?"},
           {"/quantization/layers/layer3.*/weights", "[]", "[bits, channels]"},
           {"/quantization/layers/layer3.*/weights/0", "[2, 48, 1]", "[bits, channels]"},
           {"/quantization/layers/layer3.*/weights/0/0", "0", "1..16"},
           {"/quantization/layers/layer3.*/weights/0/1", "0", "1..16777216"},
           {"/quantization/layers/layer3.*/weights/0/1", "16777216", "at most 16777216 channels"},
           {"/quantization/layers/", "{\"weights\": 4}", "pattern"},
       }) {
    CAPTURE(bad.pointer, bad.value);
    CHECK_REFUSED(read(changed(bad.pointer, bad.value)), kInvalid, "/folder/w.json: at /",
                  bad.says);
  }
}

TEST_CASE("every key of a workload that must be there is missed", "[models][workload]") {
  for (const char* key : {"schema", "name", "network", "quantization"}) {
    std::string text = kResnet20;
    text.replace(text.find(std::string("\"") + key + "\""), std::string(key).size() + 2,
                 "\"seeed\"");
    CHECK_REFUSED(read(text), kInvalid, key);
  }
}

TEST_CASE("keys that contradict each other are refused", "[models][workload]") {
  CHECK_REFUSED(read(changed("/network", "resnet18")), kInvalid, "/data/format", "3 x 224 x 224");
  CHECK_REFUSED(read(changed("/quantization/calibration/rule", "mse")), kInvalid,
                "/quantization/calibration/percentile");
  const auto data = [](const std::string& network, const std::string& fields) {
    return R"({"schema": "bitpulse/workload/1", "name": "n", "network": )" + network +
           R"(, "data": {)" + fields +
           R"(}, "quantization": {"method": "ptq", "weights": 8, "activations": 8}})";
  };
  CHECK_REFUSED(read(data("\"mlp-mnist\"", R"("format": "mnist", "test": "t", "bgr": true)")),
                kInvalid, "/data/bgr");
  CHECK_REFUSED(
      read(data("\"mlp-mnist\"", R"("format": "mnist", "test": "t", "train_labels": "t")")),
      kInvalid, "/data/train_labels");
  CHECK_REFUSED(read(data(R"({"layers": [{"name": "g", "kind": "gemm", "m": 1, "k": 1, "n": 1}]})",
                          R"("format": "mnist", "test": "t")")),
                kInvalid, "/data", "independent layers");
  CHECK_REFUSED(
      read(data(
          R"({"inputs": {"x": [1, 28, 28], "y": [1, 28, 28]}, "nodes": [{"name": "s", "kind": "add", "inputs": ["x", "y"]}], "outputs": ["s"]})",
          R"("format": "mnist", "test": "t")")),
      kInvalid, "/data", "several inputs");
}

TEST_CASE("a batch whose work does not fit 64 bits is refused", "[models][workload][limits]") {
  const std::string network =
      R"({"layers": [{"name": "g", "kind": "gemm", "m": 131072, "k": 131072, "n": 16384}]})";
  const std::string text = with_network(network);
  CHECK(count_macs(read(text).graph) == std::int64_t{1} << 48);
  const auto batched = [&](const char* batch) {
    return override_json(parse_json(text, "w.json"), {{"/batch", batch}}).raw_text();
  };
  CHECK(read(batched("4096")).batch == 4096);
  CHECK_REFUSED(read(batched("4097")), kInvalid, "/batch", "2^60");
}

}  // namespace
}  // namespace bitpulse
