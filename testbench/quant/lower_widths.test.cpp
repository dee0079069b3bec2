// SPDX-License-Identifier: Apache-2.0
#include "quant/lower.h"
#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/quant/graphs.h"
#include "testbench/quant/structure.h"

namespace bitpulse {

namespace {

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a value read at two widths is stored twice, at one width once", "[quant][lower]") {
  SmallGraph g;
  const NodeId a = g.relu("ra", g.conv("a", g.input({3, 8, 8}), 4));
  g.output(g.conv("b4", a, 4));
  g.output(g.conv("c4", a, 4));
  g.output(g.conv("d2", a, 4));
  g.workload.quantization.layers = {{"?4", {}, 4}, {"d2", {}, 2}};
  CHECK(describe(lower(g.workload)) == Lines{"a x:s8 -> ra:u4 ra:u2", "b4 ra:u4 -> b4:s32",
                                             "c4 ra:u4 -> c4:s32", "d2 ra:u2 -> d2:s32"});
}

TEST_CASE("a pool whose readers differ in width reads 16 bits", "[quant][lower]") {
  SmallGraph g;
  const NodeId p = g.max_pool("p", g.relu("ra", g.conv("a", g.input({3, 8, 8}), 4)));
  g.output(g.conv("b4", p, 4));
  g.output(g.conv("c8", p, 4));
  g.workload.quantization.layers = {{"b4", {}, 4}};
  CHECK(describe(lower(g.workload)) == Lines{"a x:s8 -> ra:s16", "p ra:s16 -> p:u4 p:u8",
                                             "b4 p:u4 -> b4:s32", "c8 p:u8 -> c8:s32"});
}

TEST_CASE("a layer list gives each layer its own tensors at its own width", "[quant][lower]") {
  SmallGraph g;
  g.workload.is_layer_list = true;
  g.output(g.conv("c1", g.input({3, 8, 8}, "c1.in"), 8));
  g.output(g.node("g1", Gemm{16}, {g.input({32, 5, 1}, "g1.in")}));
  g.workload.quantization.layers = {{"g1", {{2, 4}, {8, 12}}, 2}};
  const IntegerNetwork network = lower(g.workload);
  CHECK(describe(network) == Lines{"c1 c1.in:s8 -> c1:s8", "g1 g1.in:s2 -> g1:s2"});
  const auto& gemm = std::get<GemmOp>(network.layers[1].op);
  CHECK(gemm.weight_bits[3] == 2);
  CHECK(gemm.weight_bits[4] == 8);
  CHECK(gemm.weight_bits.size() == 16);
  CHECK(network.layers[1].out == Shape{16, 5, 1});
}

TEST_CASE("widths that do not fit the network are refused", "[quant][lower]") {
  SmallGraph g;
  g.output(g.conv("a", g.input({4, 8, 8}), 4));
  auto& spec = g.workload.quantization;
  SECTION("pattern without a layer") {
    spec.layers = {{"layer9.*", {{4, 0}}, {}}};
    CHECK_REFUSED(lower(g.workload), ErrorKind::kInvalidInput, "/quantization/layers/layer9.*",
                  "found no convolution");
  }
  SECTION("runs that do not cover") {
    spec.layers = {{"a", {{4, 1}, {2, 2}}, {}}};
    CHECK_REFUSED(lower(g.workload), ErrorKind::kInvalidInput, "/quantization/layers/a/weights",
                  "found widths of 3", "expected 4");
  }
  SECTION("17 bits") {
    spec.layers = {{"a", {{17, 0}}, {}}};
    CHECK_REFUSED(lower(g.workload), ErrorKind::kInvalidInput, "17 bits");
  }
  SECTION("no bits") {
    spec.activations = 0;
    CHECK_REFUSED(lower(g.workload), ErrorKind::kInvalidInput, "0 bits");
  }
}

TEST_CASE("later patterns win, and over the exception for first and last", "[quant][lower]") {
  SmallGraph g;
  const NodeId a = g.conv("a", g.input({4, 8, 8}), 4);
  g.output(g.conv("c", g.conv("b", a, 4), 4));
  auto& spec = g.workload.quantization;
  spec.weights = 4;
  spec.first_last = 8;
  spec.layers = {{"*", {{3, 0}}, {}}, {"b", {{2, 0}}, {}}};
  const IntegerNetwork network = lower(g.workload);
  const auto bits = [&](int i) {
    return std::get<GemmOp>(network.layers[static_cast<std::size_t>(i)].op).weight_bits[0];
  };
  CHECK(bits(0) == 3);
  CHECK(bits(1) == 2);
  CHECK(describe(network)[0] == "a x:s8 -> a:s8");
}

TEST_CASE("LLSQ's recipes for whole networks widen the ends' inputs, never their weights",
          "[quant][lower][llsq]") {
  SmallGraph g = small_resnet();
  g.workload.quantization.method = "llsq";
  g.workload.quantization.weights = g.workload.quantization.activations = 4;
  g.workload.quantization.first_last = 8;
  for (const LlsqRecipe recipe : {LlsqRecipe::kQfn, LlsqRecipe::kQfi}) {
    g.workload.quantization.llsq.recipe = recipe;
    const IntegerNetwork network = lower(g.workload);
    std::vector<int> inputs;
    for (const IntegerLayer& layer : network.layers) {
      const auto* op = std::get_if<GemmOp>(&layer.op);
      if (!op) continue;
      for (const std::uint8_t bits : op->weight_bits) CHECK(bits == 4);
      inputs.push_back(network.tensors[static_cast<std::size_t>(op->input)].precision.bits);
    }
    CHECK(inputs.front() == 8);
    CHECK(inputs[1] == 4);
    CHECK(inputs.back() == (recipe == LlsqRecipe::kQfi ? 8 : 4));
    CHECK(network.tensors[static_cast<std::size_t>(network.inputs[0].stores[0].tensor)]
              .precision.is_signed);
  }
}

}  // namespace bitpulse
