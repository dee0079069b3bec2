// SPDX-License-Identifier: Apache-2.0
#include "quant/lower.h"
#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/quant/graphs.h"

namespace bitpulse {

TEST_CASE("what no layer can take is refused by name", "[quant][lower]") {
  SmallGraph g;
  const NodeId x = g.input({4, 8, 8});
  SECTION("batch norm on the input") {
    g.output(g.norm("bn", x));
    CHECK_REFUSED(lower(g.workload), ErrorKind::kInvalidInput, "node 'bn'", "follows 'x'");
  }
  SECTION("batch norm after ReLU") {
    g.output(g.norm("bn", g.relu("r", g.conv("a", x, 4))));
    CHECK_REFUSED(lower(g.workload), ErrorKind::kInvalidInput, "node 'bn'", "follows 'r'");
  }
  SECTION("batch norm of a convolution with another reader") {
    const NodeId a = g.conv("a", x, 4);
    g.output(g.norm("bn", a));
    g.output(a);
    CHECK_REFUSED(lower(g.workload), ErrorKind::kInvalidInput, "node 'bn'", "nothing else reads");
  }
  SECTION("a slice read by a convolution") {
    g.output(g.conv("a", g.node("s", SlicePad{2, 0, 0}, {x}), 4));
    CHECK_REFUSED(lower(g.workload), ErrorKind::kInvalidInput, "node 'a'", "slice 's'");
  }
  SECTION("a convolution of a flattened map") {
    g.output(g.conv("a", g.node("f", Flatten{}, {x}), 4, 1));
    CHECK_REFUSED(lower(g.workload), ErrorKind::kInvalidInput, "node 'a'", "flattened 'f'");
  }
  SECTION("reorg of a concat") {
    g.output(g.node("r", Reorg{2}, {g.node("c", Concat{}, {x, g.conv("a", x, 4)})}));
    CHECK_REFUSED(lower(g.workload), ErrorKind::kInvalidInput, "node 'r'", "'c'");
  }
  SECTION("a dead end") {
    g.conv("a", x, 4);
    g.output(g.conv("b", x, 4));
    CHECK_REFUSED(lower(g.workload), ErrorKind::kInvalidInput, "node 'a'", "nothing reads it");
  }
  SECTION("one bit for a value that can be negative") {
    g.workload.quantization.activations = 1;
    g.output(g.conv("a", x, 4));
    CHECK_REFUSED(lower(g.workload), ErrorKind::kInvalidInput, "node 'x'", "1 bit");
  }
  SECTION("leaky ReLU after a low-bit residual") {
    g.workload.quantization.residual = ResidualStyle::kLowBit;
    const NodeId a = g.conv("a", x, 4);
    const NodeId s = g.node("l", LeakyRelu{0.1}, {g.add("s", g.conv("b", a, 4), a)});
    g.output(g.conv("c", s, 4));
    CHECK_REFUSED(lower(g.workload), ErrorKind::kInvalidInput, "node 's'", "leaky");
  }
  SECTION("an average whose sum leaves 32 bits") {
    const NodeId a = g.relu("ra", g.conv("a", g.input({1, 300, 300}, "big"), 1));
    g.output(g.conv("c", g.node("p", GlobalAvgPool{}, {g.add("t", g.conv("b", a, 1), a)}), 1, 1));
    g.output(g.conv("d", x, 1));
    CHECK_REFUSED(lower(g.workload), ErrorKind::kInvalidInput, "node 'p'",
                  "90000 codes of 16 bits");
  }
}

}  // namespace bitpulse
