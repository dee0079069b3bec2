// SPDX-License-Identifier: Apache-2.0
// integers(systemc) == integers(reference executor), overflow counts included.
#include "models/error.h"
#include "quant/integer/validate.h"
#include "sim/cosim/random_values.h"
#include "sim/fast/fast_engine.h"
#include "sim/schedule/compile.h"
#include "testbench/catch.h"
#include "testbench/sim/schedule/random_network.h"
#include "testbench/sim/systemc/differences.h"
#include "testbench/sim/systemc/seeded_parameters.h"

namespace bitpulse {
namespace {

void check_seeds(std::uint64_t first, std::uint64_t last) {
  int compiled = 0;
  std::uint64_t overflows = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    NetworkBuilder b = random_value_network(seed);
    CAPTURE(seed);
    REQUIRE_NOTHROW(validate(b.network));
    RandomSource random(seed);
    Machine machine = random_machine(random);
    machine.vector.rounding = b.network.rounding;
    CompileOptions options;
    options.batch = random.number(1, 3);
    Program program;
    try {
      program = compile(b.network, machine, options, FastEngine::timer);
    } catch (const Error&) {
      continue;  // no tile fits
    }
    ++compiled;
    REQUIRE(value_difference(program, b.network, b.random_inputs(options.batch), overflows) ==
            "same");
  }
  CHECK(compiled > static_cast<int>(last - first) / 2);
  CHECK(overflows > 1000);
}

TEST_CASE("random networks give the reference's integers on random machines",
          "[engines][differential]") {
  check_seeds(1, 1500);
}

Machine array_of(PeKind pe, std::uint32_t rows, std::uint32_t cols, Dataflow dataflow) {
  Machine machine;
  machine.array.pe = pe;
  machine.array.rows = rows;
  machine.array.cols = cols;
  machine.array.dataflow = dataflow;
  return machine;
}

/// A depthwise convolution of 20 channels whose weights' widths alternate.
NetworkBuilder depthwise_network(Precision act, const std::vector<std::uint8_t>& widths,
                                 std::int64_t kernel) {
  NetworkBuilder b(7);
  const TensorId from = b.input({20, 6, 7}, act);
  Window window;
  window.kernel_h = window.kernel_w = kernel;
  window.pad_top = window.pad_left = kernel / 2;
  auto& gemm = std::get<GemmOp>(b.conv(from, 20, window, 20, {2}).op);
  for (std::size_t c = 0; c < 20; ++c) gemm.weight_bits[c] = widths[c % widths.size()];
  b.output(b.store_new({32, true}, {}));
  return b;
}

TEST_CASE("depthwise tiles of channels that do not lie together give the reference's integers",
          "[engines][differential]") {
  const auto act = GENERATE(Precision{8, false}, Precision{8, true}, Precision{4, false});
  const auto widths = GENERATE(values<std::vector<std::uint8_t>>({{8, 4}, {8, 2, 8, 8, 4}}));
  const std::int64_t kernel = GENERATE(1, 3);
  const auto dataflow = GENERATE(Dataflow::kOs, Dataflow::kWs, Dataflow::kIs);
  NetworkBuilder b = depthwise_network(act, widths, kernel);
  const Machine machine = array_of(PeKind::kFused, 9, 8, dataflow);
  const Program program = compile(b.network, machine, {}, FastEngine::timer);
  std::uint64_t overflows = 0;
  CAPTURE(act.bits, act.is_signed, widths, kernel, to_string(dataflow));
  CHECK(value_difference(program, b.network, b.random_inputs(1), overflows) == "same");
}

/// A whole network with seeded parameters on a 32x32 array, against both other truths.
void check_network(const std::string& name, std::uint8_t weights, std::uint8_t activations,
                   const Machine& machine, std::int64_t batch, bool may_overflow) {
  const IntegerNetwork network = seeded_network(name, weights, activations, 3);
  CompileOptions options;
  options.batch = batch;
  const Program program = compile(network, machine, options, FastEngine::timer);
  std::uint64_t overflows = 0;
  CHECK(value_difference(program, network, seeded_inputs(network, batch, 4), overflows) == "same");
  if (may_overflow) CHECK(overflows > 0);
}

TEST_CASE("ResNet-20 gives the reference's integers, weight stationary", "[engines][network]") {
  check_network("resnet20-cifar", 8, 8, array_of(PeKind::kInt8, 16, 16, Dataflow::kWs), 2, false);
}
TEST_CASE("ResNet-20 gives the reference's integers, output stationary, fused, 4 bits",
          "[engines][network]") {
  check_network("resnet20-cifar", 4, 4, array_of(PeKind::kFused, 16, 32, Dataflow::kOs), 2, false);
}
TEST_CASE("ResNet-20 gives the reference's integers, input stationary, digit passes",
          "[engines][network]") {
  check_network("resnet20-cifar", 8, 8, array_of(PeKind::kInt4, 12, 20, Dataflow::kIs), 1, false);
}
TEST_CASE("ResNet-20 gives the reference's integers where 16-bit sums overflow",
          "[engines][network]") {
  Machine machine = array_of(PeKind::kInt8, 32, 32, Dataflow::kWs);
  machine.array.acc_bits = 16;
  machine.array.overflow = Overflow::kSaturate;
  check_network("resnet20-cifar", 8, 8, machine, 1, true);
}
TEST_CASE("ResNet-20 gives the reference's integers with tensors kept on chip",
          "[engines][network]") {
  Machine machine = array_of(PeKind::kInt8, 16, 16, Dataflow::kWs);
  machine.keep_on_chip = true;
  machine.buffers.act_kib = 96;
  check_network("resnet20-cifar", 8, 8, machine, 2, false);
}
TEST_CASE("ResNet-18 gives the reference's integers", "[engines][network]") {
  check_network("resnet18", 8, 8, array_of(PeKind::kInt8, 32, 32, Dataflow::kWs), 1, false);
}
TEST_CASE("MobileNetV2 gives the reference's integers", "[engines][network]") {
  check_network("mobilenet-v2", 4, 8, array_of(PeKind::kFused, 32, 32, Dataflow::kWs), 1, false);
}
TEST_CASE("YOLOv2 gives the reference's integers", "[engines][network][.slow]") {
  check_network("yolov2-voc", 8, 8, array_of(PeKind::kInt8, 32, 32, Dataflow::kWs), 1, false);
}

}  // namespace
}  // namespace bitpulse
