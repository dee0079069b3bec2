// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/layer_plan.h"

#include <fstream>
#include <sstream>

#include "sim/schedule/layer_shape.h"
#include "testbench/catch.h"
#include "testbench/sim/schedule/random_network.h"

namespace bitpulse {
namespace {

ArraySpec array_of(const std::string& dataflow, std::uint32_t rows, std::uint32_t cols) {
  ArraySpec array;
  array.rows = rows;
  array.cols = cols;
  array.dataflow = dataflow == "os"   ? Dataflow::kOs
                   : dataflow == "ws" ? Dataflow::kWs
                                      : Dataflow::kIs;
  return array;
}

/// A network of one convolution or GEMM over an input of h x w x c.
struct OneLayer {
  IntegerNetwork network;
  OneLayer(const std::string& kind, Shape in, Window window, std::int64_t channels) {
    StoredTensor tensor;
    tensor.shape = in;
    network.tensors.push_back(tensor);
    GemmOp op;
    op.input = 0;
    op.window = window;
    op.weight_bits.assign(static_cast<std::size_t>(channels), 8);
    IntegerLayer layer;
    layer.name = "layer";
    layer.kind = kind;
    layer.in = in;
    layer.out = {
        channels,
        (in.h + window.pad_top + window.pad_bottom - window.kernel_h) / window.stride_h + 1,
        (in.w + window.pad_left + window.pad_right - window.kernel_w) / window.stride_w + 1};
    layer.op = op;
    Store store;
    store.tensor = 1;
    StoredTensor out;
    out.shape = layer.out;
    network.tensors.push_back(out);
    layer.stores.push_back(store);
    network.layers.push_back(layer);
  }
  LayerPlan plan(const ArraySpec& array, std::int64_t batch = 1) const {
    return make_plan(network.layers[0], layer_shape(network, network.layers[0], batch), array);
  }
};

OneLayer conv(std::int64_t h, std::int64_t w, std::int64_t kh, std::int64_t kw, std::int64_t cin,
              std::int64_t cout, std::int64_t stride) {
  Window window;
  window.kernel_h = kh;
  window.kernel_w = kw;
  window.stride_h = window.stride_w = stride;
  return OneLayer("conv2d", {cin, h, w}, window, cout);
}

OneLayer gemm(std::int64_t m, std::int64_t k, std::int64_t n) {
  return OneLayer("gemm", {k, m, 1}, Window{}, n);
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, ',');) fields.push_back(field);
  return fields;
}

TEST_CASE("one fold of each dataflow has the serial cost of section 4", "[schedule][closed-form]") {
  // ws and is: r + T + R + c - 2; os: T + R + r + c - 2.
  const PeMode mode;
  CHECK(serial_cycles(fold_nest(array_of("ws", 4, 4), mode, 1, 9, 4, 4), array_of("ws", 4, 4)) ==
        4 + 9 + 4 + 4 - 2);
  CHECK(serial_cycles(fold_nest(array_of("ws", 4, 5), mode, 1, 9, 3, 2), array_of("ws", 4, 5)) ==
        3 + 9 + 4 + 2 - 2);
  CHECK(serial_cycles(fold_nest(array_of("is", 4, 5), mode, 1, 2, 3, 9), array_of("is", 4, 5)) ==
        3 + 9 + 4 + 2 - 2);
  CHECK(serial_cycles(fold_nest(array_of("os", 4, 5), mode, 1, 3, 9, 2), array_of("os", 4, 5)) ==
        9 + 4 + 3 + 2 - 2);
  CHECK(serial_cycles(fold_nest(array_of("os", 1, 1), mode, 1, 1, 1, 1), array_of("os", 1, 1)) ==
        1 + 1 + 1 + 1 - 2);
}

TEST_CASE("the serial cost of a nest is the sum over its folds", "[schedule][closed-form]") {
  RandomSource random(3);
  for (int i = 0; i < 500; ++i) {
    const ArraySpec array =
        array_of(random.pick({"os", "ws", "is"}), static_cast<std::uint32_t>(random.number(1, 12)),
                 static_cast<std::uint32_t>(random.number(1, 12)));
    PeMode mode;
    mode.act_digits = static_cast<int>(random.number(1, 3));
    mode.weight_digits = static_cast<int>(random.number(1, 2));
    const std::int64_t repeats = random.number(1, 3), m = random.number(1, 40),
                       k = random.number(1, 40), n = random.number(1, 40);
    const FoldNest nest = fold_nest(array, mode, repeats, m, k, n);
    std::uint64_t cycles = 0, folds = 0;
    for (std::uint64_t c = 0; c < nest.cols_extent; c += array.cols) {
      for (std::uint64_t r = 0; r < nest.rows_extent; r += array.rows) {
        const std::uint64_t cols = std::min<std::uint64_t>(array.cols, nest.cols_extent - c);
        const std::uint64_t rows = std::min<std::uint64_t>(array.rows, nest.rows_extent - r);
        const std::uint64_t count = nest.repeats * nest.passes;
        cycles += count * (rows + nest.stream + array.rows + cols - 2);
        folds += count;
      }
    }
    CHECK(serial_cycles(nest, array) == cycles);
    CHECK(fold_count(nest, array) == folds);
  }
}

TEST_CASE("SCALE-Sim's counts of random layers are reproduced", "[schedule][closed-form]") {
  // conv: H, W, kh, kw, C, M, stride; gemm: M, K, 1, K, 1, N, 1.
  struct Row {
    const char* kind;
    std::int64_t h, w, kh, kw, c, m, stride;
    const char* dataflow;
    std::uint32_t rows, cols;
    std::uint64_t cycles;
  };
  static const Row kRows[] = {
#include "testbench/sim/schedule/scalesim_rows.inc"
  };
  CHECK(std::size(kRows) >= 40);
  for (const Row& row : kRows) {
    const ArraySpec array = array_of(row.dataflow, row.rows, row.cols);
    CAPTURE(row.kind, row.h, row.w, row.kh, row.kw, row.c, row.m, row.stride, row.dataflow);
    const OneLayer layer = row.kind == std::string("gemm")
                               ? gemm(row.h, row.w, row.m)
                               : conv(row.h, row.w, row.kh, row.kw, row.c, row.m, row.stride);
    CHECK(layer.plan(array).scalesim_cycles == row.cycles);
  }
}

TEST_CASE("SCALE-Sim's counts of whole networks are reproduced", "[schedule][golden]") {
  BITPULSE_REQUIRE_SHARED("golden/scalesim/resnet18_golden.csv");
  int rows = 0;
  for (const char* file : {"alexnet", "resnet18", "fuzz"}) {
    std::ifstream csv(std::string(BITPULSE_SHARED_DIR "/golden/scalesim/") + file + "_golden.csv");
    std::string line;
    std::getline(csv, line);
    while (std::getline(csv, line)) {
      const std::vector<std::string> f = split(line);
      const auto number = [&](std::size_t i) { return std::stoll(f[i]); };
      const ArraySpec array = array_of(f[9], static_cast<std::uint32_t>(number(10)),
                                       static_cast<std::uint32_t>(number(11)));
      const OneLayer layer = f[1] == "gemm" ? gemm(number(2), number(3), number(7))
                                            : conv(number(2), number(3), number(4), number(5),
                                                   number(6), number(7), number(8));
      CAPTURE(file, line);
      CHECK(layer.plan(array).scalesim_cycles == std::stoull(f[12]));
      ++rows;
    }
  }
  CHECK(rows == 462);
}

TEST_CASE("SCALE-Sim's pixels count padding once and batches each", "[schedule][closed-form]") {
  Window window;
  window.kernel_h = window.kernel_w = 3;
  window.stride_h = window.stride_w = 2;
  window.pad_top = window.pad_left = window.pad_bottom = window.pad_right = 1;
  const OneLayer layer("conv2d", {4, 8, 8}, window, 5);
  // ceil((8 + 2 - 3 + 2) / 2) = 5 each way; the layer itself has 4 x 4.
  const LayerPlan plan = layer.plan(array_of("ws", 8, 8), 3);
  CHECK(plan.m == 3 * 16);
  CHECK(plan.scalesim_m == 3 * 25);
  CHECK(plan.macs == 3 * 16 * 36 * 5);
  const LayerPlan plain = gemm(7, 5, 3).plan(array_of("os", 2, 2), 2);
  CHECK(plain.m == 14);
  CHECK(plain.scalesim_m == 14);
}

TEST_CASE("digit passes and groups multiply folds", "[schedule][closed-form]") {
  OneLayer layer = conv(6, 6, 3, 3, 8, 12, 1);
  ArraySpec array = array_of("ws", 9, 4);
  CHECK(layer.plan(array).folds == 8 * 3);
  array.pe = PeKind::kInt4;  // 8 x 8 bits: four digit pairs
  CHECK(layer.plan(array).folds == 4 * 8 * 3);
  array.dataflow = Dataflow::kOs;  // 16 pixels x 12 channels; digits lengthen the stream
  CHECK(layer.plan(array).folds == 2 * 3);
  CHECK(layer.plan(array).serial_array_cycles ==
        serial_cycles(fold_nest(array, pe_mode(PeKind::kInt4, 8, 8), 1, 16, 72, 12), array));
  auto& op = std::get<GemmOp>(layer.network.layers[0].op);
  op.groups = 4;  // K = 18, N = 3 each
  array = array_of("ws", 9, 4);
  const LayerPlan grouped = layer.plan(array);
  CHECK(grouped.folds == 4 * 2 * 1);
  CHECK(grouped.k == 18);
  CHECK(grouped.n == 3);
  CHECK(grouped.scalesim_cycles == 4 * scalesim_cycles(array, 16, 18, 3));
}

}  // namespace
}  // namespace bitpulse
