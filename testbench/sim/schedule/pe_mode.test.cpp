// SPDX-License-Identifier: Apache-2.0
#include "sim/machine.h"
#include "testbench/catch.h"

namespace bitpulse {

TEST_CASE("a fixed PE splits wider operands into digits", "[schedule][machine]") {
  CHECK(pe_mode(PeKind::kInt8, 8, 8).passes() == 1);
  CHECK(pe_mode(PeKind::kInt8, 9, 8).passes() == 2);
  CHECK(pe_mode(PeKind::kInt8, 16, 16).passes() == 4);
  CHECK(pe_mode(PeKind::kInt4, 8, 4).act_digits == 2);
  CHECK(pe_mode(PeKind::kInt4, 8, 4).weight_digits == 1);
  CHECK(pe_mode(PeKind::kInt4, 8, 8).passes() == 4);
  CHECK(pe_mode(PeKind::kInt4, 3, 5).passes() == 2);
  CHECK(pe_mode(PeKind::kInt2, 8, 8).passes() == 16);
  CHECK(pe_mode(PeKind::kInt2, 1, 1).passes() == 1);
  CHECK(pe_mode(PeKind::kInt2, 16, 1).passes() == 8);
  CHECK(pe_mode(PeKind::kInt4, 8, 8).lanes == 1);
  CHECK(pe_mode(PeKind::kInt4, 8, 8).act_digit_bits == 4);
}

TEST_CASE("a fused PE has as many lanes as bricks, and 8-bit digits beyond",
          "[schedule][machine]") {
  const auto lanes = [](int a, int w) { return pe_mode(PeKind::kFused, a, w).lanes; };
  CHECK(lanes(8, 8) == 1);
  CHECK(lanes(8, 4) == 2);
  CHECK(lanes(8, 2) == 4);
  CHECK(lanes(4, 4) == 4);
  CHECK(lanes(4, 2) == 8);
  CHECK(lanes(2, 2) == 16);
  CHECK(lanes(1, 1) == 16);
  CHECK(lanes(3, 5) == 2);
  CHECK(lanes(16, 2) == 4);
  CHECK(pe_mode(PeKind::kFused, 16, 8).passes() == 2);
  CHECK(pe_mode(PeKind::kFused, 16, 16).passes() == 4);
  CHECK(pe_mode(PeKind::kFused, 5, 3).act_digit_bits == 8);
  CHECK(pe_mode(PeKind::kFused, 5, 3).weight_digit_bits == 4);
}

}  // namespace bitpulse
