// SPDX-License-Identifier: Apache-2.0
#include "models/graph.h"

#include <cmath>
#include <limits>
#include <set>

#include "models/shape_inference.h"
#include "testbench/catch.h"
#include "testbench/models/errors.h"

namespace bitpulse {
namespace {

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

Window window(std::int64_t kernel, std::int64_t stride = 1, std::int64_t pad = 0,
              std::int64_t dilation = 1) {
  return {kernel, kernel, stride, stride, pad, pad, pad, pad, dilation, dilation};
}
Shape shape_of(const Layer& layer, const std::vector<Shape>& inputs) {
  return infer_shape("here", layer, inputs);
}
#define CHECK_SHAPE_REFUSED(layer, inputs, ...) \
  CHECK_REFUSED(shape_of(layer, inputs), ErrorKind::kInvalidInput, "here", __VA_ARGS__)
using Shapes = std::vector<Shape>;

TEST_CASE("windows follow PyTorch's output size", "[models][graph]") {
  CHECK(shape_of(Conv2d{64, window(7, 2, 3)}, {{3, 224, 224}}) == Shape{64, 112, 112});
  CHECK(shape_of(Conv2d{8, window(3, 1, 2, 2)}, {{3, 9, 9}}) == Shape{8, 9, 9});
  CHECK(shape_of(Conv2d{8, window(5)}, {{1, 5, 5}}) == Shape{8, 1, 1});
  CHECK(shape_of(Conv2d{8, {3, 1, 2, 1, 0, 1, 0, 0, 1, 1}}, {{3, 8, 5}}) == Shape{8, 4, 5});
  CHECK(shape_of(AvgPool{window(2, 2)}, {{4, 7, 7}}) == Shape{4, 3, 3});
}

TEST_CASE("ceil mode adds a window only where it starts inside", "[models][graph]") {
  // torch.nn.MaxPool2d(k, s, p, ceil_mode=True) on n x n.
  const auto pooled = [](std::int64_t n, std::int64_t k, std::int64_t s, std::int64_t p,
                         bool ceil) {
    return shape_of(MaxPool{window(k, s, p), ceil}, {{1, n, n}}).h;
  };
  CHECK(pooled(6, 3, 2, 0, false) == 2);
  CHECK(pooled(6, 3, 2, 0, true) == 3);
  CHECK(pooled(7, 3, 2, 0, true) == 3);
  CHECK(pooled(109, 3, 2, 0, true) == 54);
  CHECK(pooled(5, 2, 2, 1, false) == 3);
  CHECK(pooled(5, 2, 2, 1, true) == 3);  // a fourth window would start in the end pad
  CHECK(pooled(4, 1, 3, 0, true) == 2);
}

TEST_CASE("the other layers' shapes", "[models][graph]") {
  CHECK(shape_of(Linear{10, true}, {{64, 8, 8}}) == Shape{10, 1, 1});
  CHECK(shape_of(Gemm{256}, {{1152, 196, 1}}) == Shape{256, 196, 1});
  CHECK(shape_of(BatchNorm{}, {{3, 2, 1}}) == Shape{3, 2, 1});
  CHECK(shape_of(Relu{6.0}, {{3, 2, 1}}) == Shape{3, 2, 1});
  CHECK(shape_of(LeakyRelu{}, {{3, 2, 1}}) == Shape{3, 2, 1});
  CHECK(shape_of(GlobalAvgPool{}, {{3, 7, 5}}) == Shape{3, 1, 1});
  CHECK(shape_of(Add{}, {{3, 7, 5}, {3, 7, 5}}) == Shape{3, 7, 5});
  CHECK(shape_of(Concat{}, {{3, 7, 5}, {4, 7, 5}, {1, 7, 5}}) == Shape{8, 7, 5});
  CHECK(shape_of(Reorg{2}, {{64, 26, 26}}) == Shape{256, 13, 13});
  CHECK(shape_of(Flatten{}, {{256, 6, 6}}) == Shape{9216, 1, 1});
  CHECK(shape_of(SlicePad{2, 8, 8}, {{16, 32, 31}}) == Shape{32, 16, 16});
}

TEST_CASE("layers that do not fit their inputs are refused by name", "[models][graph]") {
  CHECK_SHAPE_REFUSED((Conv2d{8, window(5)}), (Shapes{{3, 4, 4}}), "window of 5", "input of 4");
  CHECK_SHAPE_REFUSED((Conv2d{8, window(3, 1, 0, 2)}), (Shapes{{3, 4, 4}}), "window of 5");
  CHECK_SHAPE_REFUSED((Conv2d{8, window(1), 2}), (Shapes{{3, 4, 4}}), "groups");
  CHECK_SHAPE_REFUSED((Conv2d{7, window(1), 2}), (Shapes{{4, 4, 4}}), "groups");
  CHECK_SHAPE_REFUSED((Conv2d{8, window(1)}), (Shapes{}), "has 0 inputs, expected 1");
  CHECK_SHAPE_REFUSED(Add{}, (Shapes{{3, 7, 5}}), "has 1 inputs, expected 2");
  CHECK_SHAPE_REFUSED(Add{}, (Shapes{{3, 7, 5}, {3, 5, 7}}), "3 x 7 x 5 and 3 x 5 x 7");
  CHECK_SHAPE_REFUSED(Concat{}, (Shapes{{3, 7, 5}}), "two or more");
  CHECK_SHAPE_REFUSED(Concat{}, (Shapes{{3, 7, 5}, {3, 7, 4}}), "height or width");
  CHECK_SHAPE_REFUSED(Reorg{2}, (Shapes{{3, 7, 4}}), "does not divide");
  CHECK_SHAPE_REFUSED(Gemm{2}, (Shapes{{3, 7, 2}}), "K x M x 1");
  CHECK_SHAPE_REFUSED((AvgPool{window(2, 2, 0, 2)}), (Shapes{{3, 7, 7}}), "dilation");
  CHECK_SHAPE_REFUSED(BatchNorm{0}, (Shapes{{3, 7, 7}}), "eps");
  CHECK_SHAPE_REFUSED(BatchNorm{std::nan("")}, (Shapes{{3, 7, 7}}), "eps");
  CHECK_SHAPE_REFUSED(Relu{-1.0}, (Shapes{{3, 7, 7}}), "max");
  CHECK_SHAPE_REFUSED(LeakyRelu{std::nan("")}, (Shapes{{3, 7, 7}}), "slope");
}

TEST_CASE("a maximum over padding alone is refused", "[models][graph]") {
  CHECK(shape_of(MaxPool{window(3, 2, 1)}, {{1, 4, 4}}).h == 2);
  CHECK_SHAPE_REFUSED((MaxPool{window(2, 1, 2)}), (Shapes{{1, 4, 4}}), "padding alone");
  CHECK_SHAPE_REFUSED((MaxPool{{2, 1, 2, 1, 0, 3, 0, 0, 1, 1}}), (Shapes{{1, 3, 4}}),
                      "padding alone");
  // Taps at -1 and 1 pass over the only pixel.
  CHECK_SHAPE_REFUSED((MaxPool{window(2, 1, 1, 2)}), (Shapes{{1, 1, 1}}), "padding alone");
}

TEST_CASE("every huge or non-positive field is refused", "[models][graph][limits]") {
  for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, -kHuge, kMaxDim + 1, kHuge}) {
    CAPTURE(bad);
    CHECK(refusal([&] { shape_of(Input{{bad, 1, 1}}, {}); }));
    CHECK(refusal([&] { shape_of(Input{{1, bad, 1}}, {}); }));
    CHECK(refusal([&] { shape_of(Input{{1, 1, bad}}, {}); }));
    CHECK(refusal([&] { shape_of(Linear{bad}, {{3, 4, 4}}); }));
    CHECK(refusal([&] { shape_of(Gemm{bad}, {{3, 4, 1}}); }));
    CHECK(refusal([&] { shape_of(Reorg{bad}, {{3, 4, 4}}); }));
    CHECK(refusal([&] { shape_of(SlicePad{bad, 0, 0}, {{3, 4, 4}}); }));
    CHECK(refusal([&] { shape_of(Conv2d{bad, window(1)}, {{3, 4, 4}}); }));
    CHECK(refusal([&] { shape_of(Conv2d{6, window(1), bad}, {{3, 4, 4}}); }));
    Window w = window(1);
    for (std::int64_t Window::*field :
         {&Window::kernel_h, &Window::kernel_w, &Window::stride_h, &Window::stride_w,
          &Window::dilation_h, &Window::dilation_w}) {
      Window one_bad = w;
      one_bad.*field = bad;
      CHECK(refusal([&] { shape_of(Conv2d{6, one_bad}, {{3, 4, 4}}); }));
      CHECK(refusal([&] { shape_of(MaxPool{one_bad}, {{3, 4, 4}}); }));
    }
    if (bad == 0) continue;
    CHECK(refusal([&] { shape_of(SlicePad{1, bad, 0}, {{3, 4, 4}}); }));
    CHECK(refusal([&] { shape_of(SlicePad{1, 0, bad}, {{3, 4, 4}}); }));
    for (std::int64_t Window::*field :
         {&Window::pad_top, &Window::pad_bottom, &Window::pad_left, &Window::pad_right}) {
      Window one_bad = w;
      one_bad.*field = bad;
      CHECK(refusal([&] { shape_of(Conv2d{6, one_bad}, {{3, 4, 4}}); }));
    }
  }
}

TEST_CASE("products are bounded before they are formed", "[models][graph][limits]") {
  constexpr std::int64_t kBig = kMaxDim;
  CHECK_SHAPE_REFUSED((Input{{kBig, kBig, kBig}}), (Shapes{}), "output elements");
  CHECK_SHAPE_REFUSED((Input{{kBig, 1 << 10, 2}}), (Shapes{}), "output elements");
  CHECK(shape_of(Input{{kBig, 1 << 10, 1}}, {}).elements() == kMaxElements);
  CHECK_SHAPE_REFUSED(Linear{kBig}, (Shapes{{kBig, 1, 1}}), "number of weights");
  CHECK_SHAPE_REFUSED(Gemm{1024}, (Shapes{{1 << 15, kBig, 1}}), "multiply-accumulates");
  CHECK_SHAPE_REFUSED((Conv2d{kBig, window(1 << 12)}), (Shapes{{1 << 10, 1 << 12, 1 << 12}}),
                      "number of weights");
  CHECK_SHAPE_REFUSED(Flatten{}, (Shapes{{2, 1 << 12, 1 << 12}}), "output channels");
  CHECK_SHAPE_REFUSED(Reorg{kBig}, (Shapes{{kBig, kBig, kBig}}), "output channels");
}

TEST_CASE("a node needs a new name and earlier inputs", "[models][graph]") {
  Graph graph;
  graph.name = "net";
  const NodeId input = graph.add("x", Input{{3, 8, 8}}, {});
  CHECK_REFUSED(graph.add("x", Relu{}, {input}), ErrorKind::kInvalidInput, "'net'", "'x'");
  CHECK_REFUSED(graph.add("", Relu{}, {input}), ErrorKind::kInvalidInput, "name");
  CHECK_REFUSED(graph.add("y", Relu{}, {1}), ErrorKind::kInvalidInput, "'y'", "no earlier node");
  CHECK_REFUSED(graph.add("y", Relu{}, {-1}), ErrorKind::kInvalidInput, "no earlier node");
  CHECK(graph.nodes.size() == 1);
}

TEST_CASE("a graph of too many nodes is refused", "[models][graph][limits]") {
  Graph graph;
  for (std::size_t i = 0; i < kMaxNodes; ++i) graph.add(std::to_string(i), Input{}, {});
  CHECK_REFUSED(graph.add("x", Input{}, {}), ErrorKind::kLimit, "16384 nodes");
}

TEST_CASE("multiply-accumulates, parameters and consumers of a small graph", "[models][graph]") {
  Graph graph;
  const NodeId x = graph.add("x", Input{{4, 6, 6}}, {});
  const NodeId conv = graph.add("conv", Conv2d{8, window(3, 2, 1), 2, true}, {x});
  const NodeId bn = graph.add("bn", BatchNorm{}, {conv});
  const NodeId sum = graph.add("sum", Add{}, {bn, bn});
  const NodeId fc = graph.add("fc", Linear{5, true}, {sum});
  const NodeId more = graph.add("more", Relu{}, {bn});
  CHECK(count_macs(graph) == 9 * (8 * 2 * 9) + 5 * 72);
  CHECK(count_parameters(graph) == (8 * 2 * 9 + 8) + 16 + (5 * 72 + 5));
  const auto readers = consumers(graph);
  CHECK(readers[x] == std::vector<NodeId>{conv});
  CHECK(readers[bn] == std::vector<NodeId>{sum, more});
  CHECK(readers[fc].empty());
}

TEST_CASE("every layer kind has a name of its own", "[models][graph]") {
  const std::vector<Layer> layers{Input{}, Conv2d{},    Linear{},  Gemm{},    BatchNorm{},
                                  Relu{},  LeakyRelu{}, MaxPool{}, AvgPool{}, GlobalAvgPool{},
                                  Add{},   Concat{},    Reorg{},   Flatten{}, SlicePad{}};
  std::set<std::string> names;
  for (const Layer& layer : layers) names.insert(kind_name(layer));
  CHECK(names.size() == std::variant_size_v<Layer>);
  CHECK(std::string(kind_name(Conv2d{})) == "conv2d");
  CHECK(std::string(kind_name(SlicePad{})) == "slice_pad");
}

}  // namespace
}  // namespace bitpulse
