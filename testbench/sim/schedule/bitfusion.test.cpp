// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/bitfusion.h"

#include "sim/schedule/layer_plan.h"
#include "testbench/catch.h"
#include "testbench/sim/schedule/random_network.h"

namespace bitpulse {
namespace {

constexpr std::int64_t kRows = 16, kCols = 32;  // the Eyeriss-matched BitFusion

BitfusionLayer conv(std::int64_t size, std::int64_t cin, std::int64_t cout, std::int64_t kernel,
                    int bits) {
  BitfusionLayer layer;
  layer.out_h = layer.out_w = size;
  layer.in_channels = cin;
  layer.out_channels = cout;
  layer.kernel_h = layer.kernel_w = kernel;
  layer.act_bits = layer.weight_bits = bits;
  return layer;
}

TEST_CASE("a fusion unit's products per cycle are the published ones", "[schedule][bitfusion]") {
  CHECK(bitfusion_parallelism(8, 8) == 1);
  CHECK(bitfusion_parallelism(8, 4) == 2);
  CHECK(bitfusion_parallelism(8, 2) == 4);
  CHECK(bitfusion_parallelism(4, 4) == 4);
  CHECK(bitfusion_parallelism(4, 2) == 8);
  CHECK(bitfusion_parallelism(2, 2) == 16);
  CHECK(bitfusion_parallelism(3, 4) == 4);
  CHECK(bitfusion_parallelism(5, 8) == 1);
  CHECK(bitfusion_parallelism(1, 1) == 16);
}

TEST_CASE("BitFusion's compute cycles are the published ones", "[schedule][bitfusion]") {
  CHECK(bitfusion_cycles(conv(56, 64, 64, 3, 8), kRows, kCols) == 225'792);
  CHECK(bitfusion_cycles(conv(56, 64, 64, 3, 4), kRows, kCols) == 56'448);
  CHECK(bitfusion_cycles(conv(56, 64, 64, 3, 2), kRows, kCols) == 56'448);
  CHECK(bitfusion_cycles(conv(112, 3, 64, 7, 8), kRows, kCols, true) == 250'880);
  CHECK(bitfusion_cycles(conv(112, 3, 64, 7, 8), kRows, kCols) == 1'229'312);
  CHECK(bitfusion_cycles(conv(1, 512, 1000, 1, 8), kRows, kCols) == 1'024);
  CHECK(bitfusion_cycles(conv(1, 512, 1000, 1, 4), kRows, kCols) == 256);
}

TEST_CASE("our ideal cycles are BitFusion's where channels fill the rows, fewer elsewhere",
          "[schedule][bitfusion]") {
  RandomSource random(7);
  int fewer = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::int64_t rows = random.number(1, 40), cols = random.number(1, 40);
    BitfusionLayer layer = conv(random.number(1, 30), random.number(1, 600), random.number(1, 300),
                                random.number(1, 5), 8);
    layer.batch = random.number(1, 4);
    layer.act_bits = random.pick({2, 4, 8});
    layer.weight_bits = random.pick({2, 4, 8});
    CAPTURE(i);
    CHECK(ideal_cycles(layer, rows, cols) <= bitfusion_cycles(layer, rows, cols));
    fewer += ideal_cycles(layer, rows, cols) < bitfusion_cycles(layer, rows, cols) ? 1 : 0;
    layer.in_channels =
        random.number(1, 4) * rows * bitfusion_parallelism(layer.act_bits, layer.weight_bits);
    CHECK(ideal_cycles(layer, rows, cols) == bitfusion_cycles(layer, rows, cols));
  }
  CHECK(fewer > 500);
}

TEST_CASE("streamed cycles of a ws nest are the ideal ones", "[schedule][bitfusion]") {
  RandomSource random(8);
  for (int i = 0; i < 500; ++i) {
    ArraySpec array;
    array.rows = static_cast<std::uint32_t>(random.number(1, 40));
    array.cols = static_cast<std::uint32_t>(random.number(1, 40));
    const BitfusionLayer layer =
        conv(random.number(1, 20), random.number(1, 200), random.number(1, 200),
             random.number(1, 4), random.pick({2, 4, 8}));
    const PeMode mode = pe_mode(PeKind::kFused, layer.act_bits, layer.weight_bits);
    const std::int64_t k_packed =
        layer.kernel_h * layer.kernel_w * ((layer.in_channels + mode.lanes - 1) / mode.lanes);
    const FoldNest nest =
        fold_nest(array, mode, 1, layer.out_h * layer.out_w, k_packed, layer.out_channels);
    CHECK(fold_count(nest, array) * nest.stream ==
          static_cast<std::uint64_t>(ideal_cycles(layer, array.rows, array.cols)));
  }
}

}  // namespace
}  // namespace bitpulse
