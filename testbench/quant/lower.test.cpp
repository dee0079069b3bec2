// SPDX-License-Identifier: Apache-2.0
#include "quant/lower.h"

#include "models/nets/nets.h"
#include "quant/integer/validate.h"
#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/quant/graphs.h"
#include "testbench/quant/structure.h"

namespace bitpulse {

namespace {

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("batch norm and ReLU join their convolution, and the logits stay raw", "[quant][lower]") {
  SmallGraph g;
  const NodeId a = g.relu("r1", g.norm("bn1", g.conv("c1", g.input({3, 8, 8}), 8)));
  g.output(g.conv("c2", a, 4));
  const IntegerNetwork network = lower(g.workload);
  CHECK(describe(network) == Lines{"c1 x:s8 -> r1:u8", "c2 r1:u8 -> c2:s32"});
  CHECK(network.layers[0].stores[0].clamp == CodeRange{0, 255});
  CHECK(network.layers[1].stores[0].clamp == CodeRange{-(1LL << 31), (1LL << 31) - 1});
  CHECK(network.layers[0].kind == "conv2d");
  CHECK(network.layers[0].out == Shape{8, 8, 8});
  CHECK_FALSE(network.has_parameters);
}

TEST_CASE("flatten disappears: a linear layer is a convolution with the size of its input",
          "[quant][lower]") {
  SmallGraph g;
  const NodeId a = g.relu("ra", g.conv("a", g.input({3, 6, 4}), 5));
  const NodeId flat = g.relu("again", g.node("flat", Flatten{}, {a}));
  g.output(g.node("fc", Linear{7, true}, {flat}));
  const IntegerNetwork network = lower(g.workload);
  CHECK(describe(network) == Lines{"a x:s8 -> again:u8", "fc again:u8 -> fc:s32"});
  const IntegerLayer& fc = network.layers[1];
  CHECK(fc.in == Shape{5, 6, 4});
  CHECK(fc.out == Shape{7, 1, 1});
  CHECK(std::get<GemmOp>(fc.op).window.kernel_h == 6);
  CHECK(std::get<GemmOp>(fc.op).window.kernel_w == 4);
}

TEST_CASE("an output that is no plain sum is stored at 16 bits", "[quant][lower]") {
  SmallGraph g;
  const NodeId a = g.conv("a", g.input({3, 8, 8}), 4);
  SECTION("leaky ReLU") { g.output(g.node("leaky", LeakyRelu{0.1}, {a})); }
  SECTION("ReLU6") { g.output(g.node("leaky", Relu{6.0}, {a})); }
  SECTION("max-pool") { g.output(g.max_pool("leaky", a)); }
  const IntegerNetwork network = lower(g.workload);
  CHECK(tensor_name(network, network.outputs[0].tensor) == "leaky:s16");
}

TEST_CASE("outputs made of plain sums stay raw", "[quant][lower]") {
  SmallGraph g;
  const NodeId x = g.input({3, 8, 8});
  SECTION("ReLU and global average") {
    g.output(g.node("out", GlobalAvgPool{}, {g.relu("r", g.conv("a", x, 4))}));
  }
  SECTION("concat of heads") {
    g.output(g.node("out", Concat{}, {g.conv("a", x, 4), g.relu("r", g.conv("b", x, 4))}));
  }
  const IntegerNetwork network = lower(g.workload);
  CHECK(tensor_name(network, network.outputs[0].tensor) == "out:s32");
}

TEST_CASE("the input is unsigned where no byte becomes negative", "[quant][lower]") {
  SmallGraph g;
  g.output(g.conv("a", g.input({3, 8, 8}), 4));
  g.workload.data.mean = {0, 0, 0};
  g.workload.data.std_dev = {1, 1, 1};
  CHECK(describe(lower(g.workload)) == Lines{"a x:u8 -> a:s32"});
  g.workload.data.mean = {0, 0};
  CHECK_REFUSED(lower(g.workload), ErrorKind::kInvalidInput, "mean has 2 values");
}

TEST_CASE("every built-in network lowers to a structure that can be executed", "[quant][lower]") {
  for (const NetworkInfo& info : networks())
    for (const ResidualStyle style : {ResidualStyle::kStream16, ResidualStyle::kLowBit}) {
      CAPTURE(info.name);
      Workload workload;
      workload.name = info.name;
      workload.graph = build_network(info.name);
      workload.quantization.residual = style;
      workload.quantization.activations = 4;
      const IntegerNetwork network = lower(workload);
      CHECK_NOTHROW(validate(network));
      std::int64_t macs = 0;
      for (const IntegerLayer& layer : network.layers)
        if (const auto* op = std::get_if<GemmOp>(&layer.op))
          macs += layer.out.elements() * op->window.kernel_h * op->window.kernel_w *
                  (layer.in.c / op->groups);
      CHECK(macs == count_macs(workload.graph));
      CHECK(network.outputs.size() == workload.graph.outputs.size());
    }
}

}  // namespace bitpulse
