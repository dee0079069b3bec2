// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "models/io/onnx_reader.h"
#include "models/io/safetensors.h"
#include "models/io/workload_reader.h"
#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/models/io/onnx_writer.h"
#include "testbench/models/temporary_folder.h"

namespace bitpulse {
namespace {

using namespace onnx;

ImportedNetwork read(const std::string& content) {
  const TemporaryFolder folder;
  return import_onnx(folder.write("net.onnx", content));
}

/// "name kind CxHxW" of each node.
std::vector<std::string> lines(const Graph& graph) {
  std::vector<std::string> all;
  for (const Node& n : graph.nodes) {
    all.push_back(n.name + " " + kind_name(n.layer) + " " + std::to_string(n.shape.c) + "x" +
                  std::to_string(n.shape.h) + "x" + std::to_string(n.shape.w));
  }
  return all;
}
using Lines = std::vector<std::string>;

constexpr auto kInvalid = ErrorKind::kInvalidInput;

/// A 1x1 convolution of 2 channels to 1.
const std::string kWeights = tensor("w", {1, 2, 1, 1}, {3, 4});

}  // namespace

TEST_CASE("operators become layers, and constants their weights", "[models][onnx]") {
  const ImportedNetwork net = read(model(
      {0, 2, 4, 6},
      {node("Conv", {"x", "w3"}, "c",
            {attribute("auto_pad", std::string("SAME_UPPER")),
             attribute("strides", std::vector<std::int64_t>{2, 2})}),
       node("Add", {"c", "b3"}, "cb"), node("BatchNormalization", {"cb", "s", "s", "s", "s"}, "n"),
       node("Clip", {"n", "zero", "six"}, "r"), node("LeakyRelu", {"r"}, "l"),
       node("Concat", {"r", "l"}, "cat", {attribute("axis", std::int64_t{1})}),
       node("MaxPool", {"cat"}, "p", {attribute("kernel_shape", std::vector<std::int64_t>{2, 1})}),
       node("Reshape", {"p", "shape"}, "f"), node("Gemm", {"f", "g", "gb"}, "y0"),
       node("Softmax", {"y0"}, "y")},
      {tensor("w3", {3, 2, 3, 3}, std::vector<float>(54, 1)), tensor("b3", {1, 3, 1, 1}, {1, 2, 3}),
       tensor("s", {3}, {1, 1, 1}), tensor("zero", {}, {0}), tensor("six", {}, {6}),
       integers("shape", {-1, 18}), tensor("g", {18, 2}, std::vector<float>(36, 2)),
       tensor("gb", {2}, {5, 6})}));
  CHECK(lines(net.graph) == Lines{"x input 2x4x6", "c conv2d 3x2x3", "n batch_norm 3x2x3",
                                  "r relu 3x2x3", "l leaky_relu 3x2x3", "cat concat 6x2x3",
                                  "p max_pool 6x1x3", "f flatten 18x1x1", "y0 linear 2x1x1"});
  const auto& conv = std::get<Conv2d>(net.graph.nodes[1].layer);
  CHECK(conv.bias);
  CHECK((conv.window.pad_top == 0 && conv.window.pad_bottom == 1));
  CHECK((conv.window.pad_left == 0 && conv.window.pad_right == 1));
  CHECK(std::get<Relu>(net.graph.nodes[3].layer).max == 6);
  CHECK(net.weights.at("c.bias").data == std::vector<float>{1, 2, 3});
  CHECK(net.weights.at("y0.weight").dims == std::vector<std::int64_t>{2, 18});
  CHECK(net.weights.at("y0.bias").data == std::vector<float>{5, 6});
  CHECK(net.weights.size() == 8);
  CHECK(net.graph.outputs == std::vector<NodeId>{8});
}

TEST_CASE("a matrix is turned to [out, in] unless it comes so", "[models][onnx]") {
  const std::string matrix = tensor("w", {2, 3}, {1, 2, 3, 4, 5, 6});
  const auto plain = read(model({1, 2}, {node("MatMul", {"x", "w"}, "y")}, {matrix}));
  CHECK(plain.weights.at("y.weight").data == std::vector<float>{1, 4, 2, 5, 3, 6});
  const auto turned = read(model(
      {1, 3}, {node("Gemm", {"x", "w"}, "y", {attribute("transB", std::int64_t{1})})}, {matrix}));
  CHECK(turned.weights.at("y.weight").data == std::vector<float>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("a bias is folded only into a product that nothing else reads", "[models][onnx]") {
  const std::string bias = tensor("b", {1, 1, 1}, {7});
  const auto sum = node("Add", {"c", "b"}, "y");
  const auto conv = node("Conv", {"x", "w"}, "c");
  CHECK(read(model({1, 2, 1, 1}, {conv, sum}, {kWeights, bias})).weights.count("c.bias") == 1);
  for (const auto& nodes : std::vector<std::vector<std::string>>{
           {conv, node("Add", {"c", "b"}, "d"), node("Add", {"c", "d"}, "y")},
           {conv, node("Identity", {"c"}, "i"), node("Add", {"i", "b"}, "d"),
            node("Add", {"c", "d"}, "y")},
           {conv, node("Relu", {"c"}, "r"), node("Add", {"r", "b"}, "y")}}) {
    CHECK_REFUSED(read(model({1, 2, 1, 1}, nodes, {kWeights, bias})), kInvalid, "(Add)",
                  "no plain product");
  }
}

TEST_CASE("what is no layer is refused by node and operator", "[models][onnx]") {
  const auto refuse = [](const std::string& n, const char* what,
                         const std::vector<std::string>& constants = {kWeights}) {
    CHECK_REFUSED(read(model({1, 2, 3, 3}, {n}, constants)), kInvalid, "net.onnx: node 'y'", what);
  };
  const auto list = [](std::vector<std::int64_t> v) { return v; };
  refuse(node("Transpose", {"x"}, "y"), "(Transpose): found an operator");
  refuse(node("Conv", {"x", "none"}, "y"), "'none'");
  refuse(node("Conv", {"x", "x"}, "y"), "a constant");
  refuse(node("Conv", {"x", "w"}, "y", {attribute("strides", list({0, 1}))}), "strides [0, 1]");
  refuse(node("Conv", {"x", "w"}, "y", {attribute("strides", list({1}))}), "strides [1]");
  refuse(node("Conv", {"x", "w"}, "y", {attribute("pads", list({-1, 0, 0, 0}))}), "pads");
  refuse(node("Conv", {"x", "w"}, "y", {attribute("group", std::int64_t{2})}), "groups");
  refuse(node("Conv", {"x", "w"}, "y", {attribute("auto_pad", std::string("ODD"))}), "ODD");
  refuse(node("MatMul", {"x", "w"}, "y"), "feature map");
  refuse(node("AveragePool", {"x"}, "y",
              {attribute("kernel_shape", list({2, 2})), attribute("pads", list({1, 0, 0, 0}))}),
         "count_include_pad");
  refuse(node("Clip", {"x"}, "y", {attribute("min", -1.f), attribute("max", 1.f)}), "0 to");
  refuse(node("Reshape", {"x", "s"}, "y"), "[1, 3, 6]", {integers("s", {1, 3, 6})});
  refuse(node("Reshape", {"x", "s"}, "y"), "as many values", {integers("s", {1, 19})});
  refuse(node("ReduceMean", {"x"}, "y", {attribute("axes", list({1}))}), "axes [1]");
}

TEST_CASE("a graph that does not hold together is refused", "[models][onnx]") {
  const auto relu = [](const char* from, const char* to) { return node("Relu", {from}, to); };
  CHECK_REFUSED(read(model({1, 2, 3, 3}, {relu("x", "a"), relu("x", "y")})), kInvalid, "'a'",
                "nothing that reads it");
  CHECK_REFUSED(read(model({1, 2, 3, 3}, {relu("x", "y"), relu("x", "y")})), kInvalid, "again");
  CHECK_REFUSED(read(model({1, 2, 3, 3}, {relu("y", "y")})), kInvalid, "earlier node");
  CHECK_REFUSED(read(model({1, 2, 3, 3}, {})), kInvalid, "output 'y'");
  CHECK_REFUSED(read(model({1, 2, 3}, {relu("x", "y")})), kInvalid, "input 'x'", "[1, 2, 3]");
  CHECK_REFUSED(read(model({2, 2, 3, 3}, {relu("x", "y")})), kInvalid, "batch 1");
  CHECK_REFUSED(read(model({1, 2, 0, 3}, {relu("x", "y")})), kInvalid, "input 'x'");
  CHECK_REFUSED(read(model({1, 1 << 24, 1 << 24, 1}, {relu("x", "y")})), kInvalid, "net.onnx");
}

TEST_CASE("tensors must hold what their dimensions say, in the file", "[models][onnx]") {
  const auto conv = [](const std::string& weights) {
    return model({1, 2, 1, 1}, {node("Conv", {"x", "w"}, "y")}, {weights});
  };
  CHECK(read(conv(kWeights)).weights.at("y.weight").data == std::vector<float>{3, 4});
  const std::string half = number(1, 1) + number(1, 2) + number(1, 1) + number(1, 1) +
                           number(2, 10) + bytes(5, varint(0x3c00) + varint(0xc000)) +
                           bytes(8, "w");
  CHECK(read(conv(half)).weights.at("y.weight").data == std::vector<float>{1, -2});
  CHECK_REFUSED(read(conv(tensor("w", {1, 2, 1, 1}, {3}))), kInvalid, "tensor 'w'", "found 4 bytes",
                "expected 8");
  CHECK_REFUSED(read(conv(tensor("w", {1, -2, 1, 1}, {}))), kInvalid, "dimension -2");
  CHECK_REFUSED(read(conv(tensor("w", {1 << 24, 1 << 24, 1}, {}))), kInvalid, "at most");
  CHECK_REFUSED(read(conv(kWeights + bytes(13, ""))), kInvalid, "outside the file");
  CHECK_REFUSED(read(conv(number(2, 8) + bytes(8, "w"))), kInvalid, "data type 8");
  CHECK_REFUSED(read(conv(tensor("w", {1, 2, 1, 1}, {3, std::nanf("")}))), kInvalid, "finite");
}

TEST_CASE("a damaged file is refused or read, never more than that", "[models][onnx]") {
  const std::string whole = model({1, 2, 1, 1}, {node("Conv", {"x", "w"}, "y")}, {kWeights});
  const TemporaryFolder folder;
  const auto survives = [&](const std::string& content) {
    const auto refused = refusal([&] { import_onnx(folder.write("net.onnx", content)); });
    return !refused || refused->kind == kInvalid || refused->kind == ErrorKind::kLimit;
  };
  bool all = true;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    all = all && survives(whole.substr(0, i));
    for (const char value : {'\0', '\x01', '\x7f', '\x80', '\xff'}) {
      std::string changed = whole;
      changed[i] = value;
      all = all && survives(changed);
    }
  }
  CHECK(all);
  CHECK_REFUSED(read(""), kInvalid, "no graph");
  CHECK_REFUSED(read(whole.substr(0, whole.size() - 1)), kInvalid, "before byte");
  CHECK_REFUSED(read(std::string(11, '\xff')), kInvalid, "more than 10 bytes");
  CHECK_REFUSED(read("\x0b"), kInvalid, "wire type 3");
}

TEST_CASE("counts are bounded before the file is believed", "[models][onnx][limits]") {
  std::string graph;
  for (int i = 0; i < 20'000; ++i) graph += bytes(1, "");
  CHECK_REFUSED(read(bytes(7, graph)), ErrorKind::kLimit, "more nodes", "16384");
  std::string wide;
  for (int i = 0; i < 300; ++i) wide += bytes(1, "x");
  CHECK_REFUSED(read(model({1, 2, 1, 1}, {wide})), ErrorKind::kLimit, "inputs of a node");
}

TEST_CASE("a workload names an ONNX file by its path, and takes its weights", "[models][onnx]") {
  const TemporaryFolder folder;
  folder.write("net.onnx", model({1, 2, 1, 1}, {node("Conv", {"x", "w"}, "y")}, {kWeights}));
  const std::string text = R"({"schema": "bitpulse/workload/1", "name": "n", "network": "net.onnx",
      "quantization": {"method": "ptq", "weights": 8, "activations": 8}})";
  const Workload workload = read_workload(load_json(folder.write("w.json", text)));
  CHECK(workload.network_name == "net.onnx");
  CHECK(workload.network_path == folder / "net.onnx");
  CHECK(read_weights(workload.weights_path).at("y.weight").data == std::vector<float>{3, 4});
  folder.write("net.onnx", "");
  CHECK_REFUSED(read_workload(load_json(folder / "w.json")), kInvalid,
                "w.json: at /network: ", "net.onnx");
}

TEST_CASE("ONNX files of other tools are read, or refused by node", "[models][onnx][real-data]") {
  BITPULSE_REQUIRE_SHARED("data/onnx/mnist_cntk.onnx");
  const std::string folder = BITPULSE_SHARED_DIR "/data/onnx/";
  for (const char* name : {"mnist_cntk.onnx", "mnist_opt.onnx"}) {
    const ImportedNetwork net = import_onnx(folder + name);
    CHECK(count_parameters(net.graph) == 5994);
    CHECK(net.graph.nodes.back().shape == Shape{10, 1, 1});
  }
  const ImportedNetwork squeezenet = import_onnx(folder + "squeezenet1_1_fp16.onnx");
  CHECK(count_parameters(squeezenet.graph) == 1'235'496);
  CHECK_REFUSED(import_onnx(folder + "ultraface_rfb_320.onnx"), kInvalid, "node '318' (Transpose)");
}

}  // namespace bitpulse
