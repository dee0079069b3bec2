// SPDX-License-Identifier: Apache-2.0
#include "quant/lower.h"
#include "testbench/catch.h"
#include "testbench/quant/graphs.h"
#include "testbench/quant/structure.h"

namespace bitpulse {

namespace {

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("concat is stores into channel slices, nested ones flattened, pools among them",
          "[quant][lower]") {
  SmallGraph g;
  const NodeId x = g.relu("rs", g.conv("s", g.input({3, 8, 8}), 6, 3));
  const NodeId a = g.relu("ra", g.conv("a", x, 4, 1, 2));
  const NodeId b = g.relu("rb", g.conv("b", x, 5, 3, 2));
  const NodeId inner = g.node("inner", Concat{}, {a, b});
  const NodeId outer = g.node("outer", Concat{}, {g.max_pool("p", x), inner});
  g.output(g.conv("tail", outer, 4));
  const IntegerNetwork network = lower(g.workload);
  CHECK(describe(network) == Lines{"s x:s8 -> rs:u8", "a rs:u8 -> outer:u8@6",
                                   "b rs:u8 -> outer:u8@10", "p rs:u8 -> outer:u8",
                                   "tail outer:u8 -> tail:s32"});
  CHECK(network.tensors.back().shape == Shape{4, 4, 4});
}

TEST_CASE("a concat with a branch that can be negative is signed", "[quant][lower]") {
  SmallGraph g;
  const NodeId x = g.input({3, 8, 8});
  const NodeId both = g.node("cat", Concat{}, {g.relu("ra", g.conv("a", x, 4)), g.conv("b", x, 4)});
  g.output(g.conv("tail", both, 4));
  const IntegerNetwork network = lower(g.workload);
  CHECK(describe(network) ==
        Lines{"a x:s8 -> cat:s8", "b x:s8 -> cat:s8@4", "tail cat:s8 -> tail:s32"});
  CHECK(network.layers[0].stores[0].clamp == CodeRange{0, 127});
  CHECK(network.layers[1].stores[0].clamp == CodeRange{-128, 127});
}

TEST_CASE("ReLU after concat or max-pool is pushed to the producers", "[quant][lower]") {
  SmallGraph g;
  const NodeId x = g.input({3, 8, 8});
  SECTION("concat") {
    const NodeId both = g.node("cat", Concat{}, {g.conv("a", x, 4), g.conv("b", x, 4)});
    g.output(g.conv("tail", g.relu("r", both), 4));
    const IntegerNetwork network = lower(g.workload);
    CHECK(describe(network) ==
          Lines{"a x:s8 -> r:u8", "b x:s8 -> r:u8@4", "tail r:u8 -> tail:s32"});
    CHECK(network.layers[1].stores[0].clamp == CodeRange{0, 255});
  }
  SECTION("max-pool") {
    g.output(g.conv("tail", g.relu("r", g.max_pool("p", g.conv("a", x, 4))), 4));
    const Lowering lowering = lower_with_origins(g.workload);
    CHECK(describe(lowering.network) ==
          Lines{"a x:s8 -> a:u8", "p a:u8 -> r:u8", "tail r:u8 -> tail:s32"});
    CHECK(lowering.tensors[1].activation.non_negative());
    CHECK(lowering.layers[1].activations[0] == Activation{});
  }
}

TEST_CASE("reorg is the address of a store, also inside a concat", "[quant][lower]") {
  SmallGraph g;
  const NodeId a = g.relu("ra", g.conv("a", g.input({3, 8, 8}), 2));
  const NodeId deep = g.relu("rd", g.conv("d", g.max_pool("p", a), 6));
  const NodeId both = g.node("cat", Concat{}, {g.node("reorg", Reorg{2}, {a}), deep});
  g.output(g.conv("tail", both, 4));
  CHECK(describe(lower(g.workload)) == Lines{"a x:s8 -> ra:u8 cat:u8%2", "p ra:u8 -> p:u8",
                                             "d p:u8 -> cat:u8@8", "tail cat:u8 -> tail:s32"});
}

}  // namespace bitpulse
