// SPDX-License-Identifier: Apache-2.0
#include "quant/lower.h"

#include "models/error.h"
#include "models/nets/nets.h"
#include "quant/integer/validate.h"
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

void check_refused(const SmallGraph& g, const std::vector<std::string>& parts) {
  std::string message;
  try {
    lower(g.workload);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInvalidInput);
    message = error.what();
  }
  CAPTURE(message);
  for (const std::string& part : parts) {
    CAPTURE(part);
    CHECK(message.find(part) != std::string::npos);
  }
}

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

TEST_CASE("the stem of a residual net is a 16-bit stream through its max-pool", "[quant][lower]") {
  SmallGraph g;
  const NodeId stem =
      g.max_pool("p", g.relu("r1", g.norm("bn1", g.conv("c1", g.input({3, 8, 8}), 4))));
  g.output(g.conv("tail", g.relu("r2", g.add("sum", g.conv("c2", stem, 4), stem)), 4));
  CHECK(describe(lower(g.workload)) == Lines{"c1 x:s8 -> r1:s16", "p r1:s16 -> p:u8 p:s16",
                                             "c2 p:u8 + p:s16 -> r2:u8", "tail r2:u8 -> tail:s32"});
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

TEST_CASE("reorg is the address of a store, also inside a concat", "[quant][lower]") {
  SmallGraph g;
  const NodeId a = g.relu("ra", g.conv("a", g.input({3, 8, 8}), 2));
  const NodeId deep = g.relu("rd", g.conv("d", g.max_pool("p", a), 6));
  const NodeId both = g.node("cat", Concat{}, {g.node("reorg", Reorg{2}, {a}), deep});
  g.output(g.conv("tail", both, 4));
  CHECK(describe(lower(g.workload)) == Lines{"a x:s8 -> ra:u8 cat:u8%2", "p ra:u8 -> p:u8",
                                             "d p:u8 -> cat:u8@8", "tail cat:u8 -> tail:s32"});
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
  check_refused(g, {"mean has 2 values"});
}

TEST_CASE("what no layer can take is refused by name", "[quant][lower]") {
  SmallGraph g;
  const NodeId x = g.input({4, 8, 8});
  SECTION("batch norm on the input") {
    g.output(g.norm("bn", x));
    check_refused(g, {"node 'bn'", "follows 'x'"});
  }
  SECTION("batch norm after ReLU") {
    g.output(g.norm("bn", g.relu("r", g.conv("a", x, 4))));
    check_refused(g, {"node 'bn'", "follows 'r'"});
  }
  SECTION("batch norm of a convolution with another reader") {
    const NodeId a = g.conv("a", x, 4);
    g.output(g.norm("bn", a));
    g.output(a);
    check_refused(g, {"node 'bn'", "nothing else reads"});
  }
  SECTION("a slice read by a convolution") {
    g.output(g.conv("a", g.node("s", SlicePad{2, 0, 0}, {x}), 4));
    check_refused(g, {"node 'a'", "slice 's'"});
  }
  SECTION("a convolution of a flattened map") {
    g.output(g.conv("a", g.node("f", Flatten{}, {x}), 4, 1));
    check_refused(g, {"node 'a'", "flattened 'f'"});
  }
  SECTION("reorg of a concat") {
    g.output(g.node("r", Reorg{2}, {g.node("c", Concat{}, {x, g.conv("a", x, 4)})}));
    check_refused(g, {"node 'r'", "'c'"});
  }
  SECTION("a dead end") {
    g.conv("a", x, 4);
    g.output(g.conv("b", x, 4));
    check_refused(g, {"node 'a'", "nothing reads it"});
  }
  SECTION("one bit for a value that can be negative") {
    g.workload.quantization.activations = 1;
    g.output(g.conv("a", x, 4));
    check_refused(g, {"node 'x'", "1 bit"});
  }
  SECTION("leaky ReLU after a low-bit residual") {
    g.workload.quantization.residual = ResidualStyle::kLowBit;
    const NodeId a = g.conv("a", x, 4);
    const NodeId s = g.node("l", LeakyRelu{0.1}, {g.add("s", g.conv("b", a, 4), a)});
    g.output(g.conv("c", s, 4));
    check_refused(g, {"node 's'", "leaky"});
  }
  SECTION("an average whose sum leaves 32 bits") {
    const NodeId a = g.relu("ra", g.conv("a", g.input({1, 300, 300}, "big"), 1));
    g.output(g.conv("c", g.node("p", GlobalAvgPool{}, {g.add("t", g.conv("b", a, 1), a)}), 1, 1));
    g.output(g.conv("d", x, 1));
    check_refused(g, {"node 'p'", "90000 codes of 16 bits"});
  }
}

TEST_CASE("widths that do not fit the network are refused", "[quant][lower]") {
  SmallGraph g;
  g.output(g.conv("a", g.input({4, 8, 8}), 4));
  auto& spec = g.workload.quantization;
  SECTION("pattern without a layer") {
    spec.layers = {{"layer9.*", {{4, 0}}, {}}};
    check_refused(g, {"layer9.*", "matches no"});
  }
  SECTION("runs that do not cover") {
    spec.layers = {{"a", {{4, 1}, {2, 2}}, {}}};
    check_refused(g, {"'a' cover 3", "expected 4"});
  }
  SECTION("17 bits") {
    spec.layers = {{"a", {{17, 0}}, {}}};
    check_refused(g, {"17 bits"});
  }
  SECTION("no bits") {
    spec.activations = 0;
    check_refused(g, {"0 bits"});
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
