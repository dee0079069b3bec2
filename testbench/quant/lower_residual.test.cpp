// SPDX-License-Identifier: Apache-2.0
#include "quant/lower.h"
#include "testbench/catch.h"
#include "testbench/quant/graphs.h"
#include "testbench/quant/structure.h"

namespace bitpulse {

namespace {

using Lines = std::vector<std::string>;

const IntegerLayer& layer(const IntegerNetwork& network, const std::string& name) {
  for (const IntegerLayer& l : network.layers)
    if (l.name == name) return l;
  throw std::runtime_error("no layer " + name);
}

}  // namespace

TEST_CASE(
    "a residual net with 16-bit streams stores each sum for the stream and for its convolution",
    "[quant][lower]") {
  SmallGraph g = small_resnet();
  g.workload.quantization.activations = 4;
  g.workload.quantization.first_last = 8;
  const IntegerNetwork network = lower(g.workload);
  CHECK(describe(network) == Lines{
                                 "conv1 x:s8 -> relu1:u4 relu1:s16",
                                 "b1.conv1 relu1:u4 -> b1.relu1:u4",
                                 "b1.conv2 b1.relu1:u4 + relu1:s16 -> b1.out:u4 b1.out:s16",
                                 "b2.conv1 b1.out:u4 -> b2.relu1:u4",
                                 "b2.conv2 b2.relu1:u4 + b1.out:s16/2^4 -> b2.out:u4",
                                 "b3.conv1 b2.out:u4 -> b3.relu1:u4",
                                 "b3.conv2 b3.relu1:u4 -> b3.bn2:s16",
                                 "b3.down b2.out:u4 + b3.bn2:s16 -> b3.out:s16",
                                 "pool b3.out:s16 -> pool:u8",
                                 "fc pool:u8 -> fc:s32",
                             });
  const IntegerLayer& sum = layer(network, "b1.conv2");
  CHECK(sum.residual->kind == Residual::Kind::kStream16);
  CHECK(sum.residual->main_clamp == CodeRange{-32768, 32767});
  CHECK(sum.stores[1].clamp == CodeRange{0, 32767});
  const auto& first = std::get<GemmOp>(network.layers[0].op);
  CHECK(first.weight_bits == std::vector<std::uint8_t>(8, 8));
  CHECK(std::get<GemmOp>(network.layers[1].op).weight_bits == std::vector<std::uint8_t>(8, 8));
}

TEST_CASE("a low-bit residual reads unsigned identities and signed downsample branches",
          "[quant][lower]") {
  SmallGraph g = small_resnet();
  g.workload.quantization.activations = 4;
  g.workload.quantization.residual = ResidualStyle::kLowBit;
  const IntegerNetwork network = lower(g.workload);
  CHECK(describe(network) == Lines{
                                 "conv1 x:s4 -> relu1:u4",
                                 "b1.conv1 relu1:u4 -> b1.relu1:u4",
                                 "b1.conv2 b1.relu1:u4 + relu1:u4 -> b1.out:u4",
                                 "b2.conv1 b1.out:u4 -> b2.relu1:u4",
                                 "b2.conv2 b2.relu1:u4 + b1.out:u4/2^4 -> b2.out:u4",
                                 "b3.conv1 b2.out:u4 -> b3.relu1:u4",
                                 "b3.conv2 b3.relu1:u4 -> b3.bn2:s4",
                                 "b3.down b2.out:u4 + b3.bn2:s4 -> b3.out:u4",
                                 "pool b3.out:u4 -> pool:u4",
                                 "fc pool:u4 -> fc:s32",
                             });
  CHECK(layer(network, "b1.conv2").residual->main_clamp == CodeRange{-8, 7});
}

TEST_CASE("a convolution made before the other operand of its add runs after it",
          "[quant][lower]") {
  SmallGraph g;
  const NodeId x = g.input({4, 8, 8});
  const NodeId early = g.conv("early", x, 4);
  const NodeId late = g.relu("late.relu", g.conv("late", x, 4));
  g.output(g.conv("tail", g.add("sum", early, late), 4));
  CHECK(describe(lower(g.workload)) == Lines{"late x:s8 -> late.relu:s16",
                                             "early x:s8 + late.relu:s16 -> sum:s8",
                                             "tail sum:s8 -> tail:s32"});
}

TEST_CASE("an add that no convolution can take is a layer of its own", "[quant][lower]") {
  SmallGraph g;
  const NodeId x = g.input({4, 8, 8});
  const NodeId a = g.relu("ra", g.conv("a", x, 4));
  const NodeId b = g.relu("rb", g.conv("b", x, 4));
  g.output(g.conv("tail", g.relu("rs", g.add("sum", a, b)), 4));
  SECTION("on the 16-bit stream") {
    const IntegerNetwork network = lower(g.workload);
    CHECK(describe(network) == Lines{"a x:s8 -> ra:s16", "b x:s8 -> rb:s16",
                                     "sum ra:s16 + rb:s16 -> rs:u8", "tail rs:u8 -> tail:s32"});
    CHECK(network.layers[2].kind == "add");
  }
  SECTION("at low width") {
    g.workload.quantization.residual = ResidualStyle::kLowBit;
    const IntegerNetwork network = lower(g.workload);
    CHECK(describe(network) == Lines{"a x:s8 -> ra:u8", "b x:s8 -> rb:u8",
                                     "sum ra:u8 + rb:u8 -> rs:u8", "tail rs:u8 -> tail:s32"});
    CHECK(network.layers[2].residual->main_clamp == CodeRange{0, 255});
  }
}

TEST_CASE("a convolution that something else reads too does not take the add", "[quant][lower]") {
  SmallGraph g;
  const NodeId x = g.input({4, 8, 8});
  const NodeId a = g.conv("a", x, 4);
  g.output(g.conv("tail", g.add("sum", a, a), 4));
  CHECK(describe(lower(g.workload)) ==
        Lines{"a x:s8 -> a:s16", "sum a:s16 + a:s16 -> sum:s8", "tail sum:s8 -> tail:s32"});
}

TEST_CASE("sums of sums chain: the first joins its convolution, the second stands alone",
          "[quant][lower]") {
  SmallGraph g;
  const NodeId x = g.input({4, 8, 8});
  const NodeId a = g.relu("ra", g.conv("a", x, 4));
  const NodeId s = g.add("s1", g.conv("b", a, 4), a);
  g.output(g.conv("tail", g.add("s2", s, a), 4));
  CHECK(describe(lower(g.workload)) == Lines{"a x:s8 -> ra:u8 ra:s16", "b ra:u8 + ra:s16 -> s1:s16",
                                             "s2 s1:s16 + ra:s16 -> s2:s8",
                                             "tail s2:s8 -> tail:s32"});
}

TEST_CASE("the stem of a residual net is a 16-bit stream through its max-pool", "[quant][lower]") {
  SmallGraph g;
  const NodeId stem =
      g.max_pool("p", g.relu("r1", g.norm("bn1", g.conv("c1", g.input({3, 8, 8}), 4))));
  g.output(g.conv("tail", g.relu("r2", g.add("sum", g.conv("c2", stem, 4), stem)), 4));
  CHECK(describe(lower(g.workload)) == Lines{"c1 x:s8 -> r1:s16", "p r1:s16 -> p:u8 p:s16",
                                             "c2 p:u8 + p:s16 -> r2:u8", "tail r2:u8 -> tail:s32"});
}

}  // namespace bitpulse
