// SPDX-License-Identifier: Apache-2.0
#include "models/nets/nets.h"

#include <cmath>
#include <set>
#include <string>

#include "testbench/catch.h"
#include "testbench/models/errors.h"

namespace bitpulse {
namespace {

const Node& node(const Graph& graph, const std::string& name) {
  for (const Node& n : graph.nodes) {
    if (n.name == name) return n;
  }
  throw std::runtime_error(graph.name + " has no node " + name);
}

std::int64_t batch_norm_channels(const Graph& graph) {
  std::int64_t channels = 0;
  for (const Node& n : graph.nodes) {
    if (std::holds_alternative<BatchNorm>(n.layer)) channels += n.shape.c;
  }
  return channels;
}

struct Published {
  const char* name;
  std::int64_t parameters;
  double giga_macs;  // to three decimals
};

// "num_params" and "_ops" of the weights' meta data in torchvision 0.15 (docs: table of all
// available classification weights). Inception-V3: _ops, and the parameters without the auxiliary
// classifier as in the table of github.com/osmr/imgclsmob (pytorch/README.md).
TEST_CASE("torchvision's networks have their published sizes", "[models][nets][published]") {
  for (const Published& p : {Published{"resnet18", 11'689'512, 1.814},
                             {"resnet34", 21'797'672, 3.664},
                             {"resnet50", 25'557'032, 4.089},
                             {"resnet101", 44'549'160, 7.801},
                             {"resnet152", 60'192'808, 11.514},
                             {"vgg16bn", 138'365'992, 15.470},
                             {"alexnet", 61'100'840, 0.714},
                             {"squeezenet1.0", 1'248'424, 0.819},
                             {"squeezenet1.1", 1'235'496, 0.349},
                             {"mobilenet-v2", 3'504'872, 0.301},
                             {"inception-v3", 23'834'568, 5.713}}) {
    CAPTURE(p.name);
    const Graph graph = build_network(p.name);
    CHECK(count_parameters(graph) == p.parameters);
    CHECK(std::round(static_cast<double>(count_macs(graph)) / 1e6) ==
          std::round(p.giga_macs * 1e3));
    CHECK(graph.nodes[static_cast<std::size_t>(graph.outputs.at(0))].shape == Shape{1000, 1, 1});
  }
}

// Parameters: README of github.com/akamaster/pytorch_resnet_cifar10 (0.27M, 0.46M, 0.66M, 0.85M)
// and its trainer's summary; multiply-accumulates worked out by hand from the table of He et al.,
// section 4.2: the first convolution, 2n of 32 x 32, 2n of 16 x 16 and 2n of 8 x 8 (the first of a
// stage has half the input channels), the linear layer.
TEST_CASE("CIFAR ResNets have their published sizes", "[models][nets][published]") {
  const auto macs = [](std::int64_t n) {
    const std::int64_t full = 1024 * 16 * 144;
    return 1024 * 16 * 27 + 2 * n * full + 2 * ((2 * n - 1) * full + full / 2) + 640;
  };
  struct Net {
    const char* name;
    std::int64_t n, parameters;
  };
  for (const Net& net : {Net{"resnet20-cifar", 3, 269'722},
                         {"resnet32-cifar", 5, 464'154},
                         {"resnet44-cifar", 7, 658'586},
                         {"resnet56-cifar", 9, 853'018}}) {
    CAPTURE(net.name);
    const Graph graph = build_network(net.name);
    CHECK(count_parameters(graph) == net.parameters);
    CHECK(count_macs(graph) == macs(net.n));
  }
}

// The same with one block a stage on 24 x 24 pixels: parameters without batch norms 16 * 27,
// 9 * (2 * 16 * 16 + 16 * 32 + 32 * 32 + 32 * 64 + 64 * 64) and 650.
TEST_CASE("the ResNet for the figures is a CIFAR ResNet of 8 layers", "[models][nets]") {
  const Graph graph = build_network("resnet8-figures");
  CHECK(count_parameters(graph) == 432 + 9 * 8'192 + 650 + 2 * (3 * 16 + 2 * 32 + 2 * 64));
  CHECK(count_macs(graph) ==
        576 * (432 + 9 * 512) + 144 * 9 * (512 + 1'024) + 36 * 9 * (2'048 + 4'096) + 640);
}

// Parameters: pytorchcv's own test of sqnxt23_w2 (pytorchcv/models/squeezenext.py). Multiply-
// accumulates by hand per pixel: a unit of w channels has (1/2 + 1/8 + 3/8 + 3/4 + 1/2) w^2, the
// first of stages 2..4, from half the channels, (1 + 1/2 + 3/2 + 3 + 2 + 2) w^2 / 4, that of stage
// 1 19,456.
TEST_CASE("SqueezeNext-23-2x has its published parameters", "[models][nets][published]") {
  const Graph graph = build_network("squeezenext-23-2x");
  CHECK(count_parameters(graph) == 2'583'752);
  const auto units = [](std::int64_t first, std::int64_t others, std::int64_t w) {
    return first * 5 * w * w / 2 + others * 9 * w * w / 4;
  };
  CHECK(count_macs(graph) == 110 * 110 * 128 * 147 + 55 * 55 * (19'456 + units(0, 5, 64)) +
                                 28 * 28 * units(1, 5, 128) + 14 * 14 * units(1, 7, 256) +
                                 7 * 7 * (units(1, 0, 512) + 512 * 256) + 256'000);
  CHECK(node(graph, "features.stage4.unit1.activ").shape == Shape{512, 7, 7});
}

// MLPerf Tiny v1.0: the image classification reference has 78 k parameters and 12.5 M
// multiply-accumulates (Banbury et al., "MLPerf Tiny Benchmark", 2021).
TEST_CASE("MLPerf Tiny's ResNet-8 has its published size", "[models][nets][published]") {
  const Graph graph = build_network("resnet8-cifar");
  CHECK(count_parameters(graph) == 77'706);
  CHECK(count_macs(graph) / 100'000 == 125);
}

// yolov2-tiny-voc.weights and yolo-voc.weights of pjreddie.com/darknet/yolov2 have 63,471,556 and
// 202,704,260 bytes: a 16-byte header, then every parameter and the running mean and variance of
// each batch norm as float32.
TEST_CASE("YOLOv2's weights fill Darknet's files exactly", "[models][nets][published]") {
  const auto floats = [](const Graph& g) {
    return count_parameters(g) + 2 * batch_norm_channels(g);
  };
  CHECK(16 + 4 * floats(build_network("tiny-yolov2-voc")) == 63'471'556);
  CHECK(16 + 4 * floats(build_network("yolov2-voc")) == 202'704'260);
}

// pjreddie.com/darknet/yolov2: Tiny YOLO 6.97 Bn, YOLOv2 34.90 Bn operations at 416 x 416. The
// latter is the first release, whose passthrough had no 64-channel convolution: 2,048 + 1,024
// channels entered the last 3x3 convolution.
TEST_CASE("YOLOv2 has its published operations", "[models][nets][published]") {
  const double tiny = 2e-9 * static_cast<double>(count_macs(build_network("tiny-yolov2-voc")));
  CHECK(tiny == Approx(6.97).margin(0.005));
  const Graph graph = build_network("yolov2-voc");
  const std::int64_t passthrough = 26 * 26 * 512 * 64;
  const std::int64_t added_channels = 2048 + 1024 - 1280;
  const std::int64_t first_release =
      count_macs(graph) - passthrough + 13 * 13 * 9 * 1024 * added_channels;
  CHECK(2e-9 * static_cast<double>(first_release) == Approx(34.90).margin(0.005));
  CHECK(node(graph, "models.28").shape == Shape{1280, 13, 13});
  CHECK(graph.nodes.back().shape == Shape{125, 13, 13});
}

// 9 (3*128 + 128*128 + 128*256 + 256*256 + 256*512 + 512*512) weights at 32, 32, 16, 16, 8, 8
// squared pixels, batch norm everywhere, 8192 x 10 classifier (LQ-Nets, arXiv:1807.10029,
// appendix).
TEST_CASE("VGG-small is the network of LQ-Nets and LLSQ", "[models][nets][published]") {
  const Graph graph = build_network("vgg-small");
  CHECK(count_parameters(graph) == 9 * 508'288 + 2 * 1'792 + 81'930);
  CHECK(count_macs(graph) ==
        9 * (1024 * (384 + 16'384) + 256 * (32'768 + 65'536) + 64 * (131'072 + 262'144)) + 81'920);
}

TEST_CASE("the perceptron has 784-2048-2048-2048-10 units", "[models][nets][published]") {
  const Graph graph = build_network("mlp-mnist");
  CHECK(count_macs(graph) == 784 * 2048 + 2 * 2048 * 2048 + 2048 * 10);
  CHECK(count_parameters(graph) == count_macs(graph) + 3 * 2048 + 10);
}

// mobilenet_v2 without its batch norms (34,112 scales and shifts become 17,056 biases).
TEST_CASE("the TensorFlow form of MobileNetV2 differs only in padding and folding",
          "[models][nets]") {
  const Graph torch = build_network("mobilenet-v2");
  const Graph tf = build_network("mobilenet-v2-tf");
  CHECK(count_macs(tf) == count_macs(torch));
  CHECK(count_parameters(tf) == count_parameters(torch) - batch_norm_channels(torch));
  const auto& stem = std::get<Conv2d>(node(tf, "features.0.0").layer).window;
  CHECK(stem.pad_top == 0);
  CHECK(stem.pad_bottom == 1);
  CHECK(stem.pad_left == 0);
  CHECK(stem.pad_right == 1);
}

TEST_CASE("strides and shapes are those of the papers", "[models][nets]") {
  const Graph r50 = build_network("resnet50");
  CHECK(std::get<Conv2d>(node(r50, "layer2.0.conv2").layer).window.stride_h == 2);
  CHECK(std::get<Conv2d>(node(r50, "layer2.0.conv1").layer).window.stride_h == 1);
  CHECK(node(r50, "layer4.2.relu").shape == Shape{2048, 7, 7});
  const Graph r20 = build_network("resnet20-cifar");
  CHECK(node(r20, "layer3.0.shortcut").shape == Shape{64, 8, 8});
  const Graph inception = build_network("inception-v3");
  CHECK(node(inception, "Mixed_5d").shape == Shape{288, 35, 35});
  CHECK(node(inception, "Mixed_6e").shape == Shape{768, 17, 17});
  CHECK(node(inception, "Mixed_7c").shape == Shape{2048, 8, 8});
  CHECK(node(build_network("alexnet"), "features.12").shape == Shape{256, 6, 6});
  CHECK(node(build_network("squeezenet1.0"), "features.11").shape == Shape{512, 13, 13});
}

TEST_CASE("every network has one input, one output and no dead node", "[models][nets]") {
  std::set<std::string> names;
  for (const NetworkInfo& info : networks()) {
    CAPTURE(info.name);
    const Graph graph = info.build();
    CHECK(graph.name == info.name);
    CHECK(names.insert(info.name).second);
    REQUIRE(graph.inputs.size() == 1);
    REQUIRE(graph.outputs.size() == 1);
    const auto readers = consumers(graph);
    for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
      CAPTURE(graph.nodes[id].name);
      CHECK(readers[id].empty() == (static_cast<NodeId>(id) == graph.outputs[0]));
    }
  }
  CHECK(names.size() == 23);
}

TEST_CASE("an unknown network is refused with the nearest name", "[models][nets]") {
  CHECK_REFUSED(build_network("resnet-18"), ErrorKind::kInvalidInput, "'resnet-18'", "mlp-mnist",
                "did you mean 'resnet18'?");
  CHECK_REFUSED(build_network(""), ErrorKind::kInvalidInput, "expected one of");
}

}  // namespace
}  // namespace bitpulse
