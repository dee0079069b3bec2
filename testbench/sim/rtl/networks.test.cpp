// SPDX-License-Identifier: Apache-2.0
// A whole network with every product from the Verilated array.
#include "models/io/shipped.h"
#include "models/io/workload_reader.h"
#include "sim/cosim/cosim.h"
#include "sim/fast/fast_engine.h"
#include "sim/rtl/rtl_engine.h"
#include "sim/schedule/compile.h"
#include "testbench/catch.h"
#include "testbench/sim/systemc/seeded_parameters.h"

namespace bitpulse {
namespace {

/// A shipped ResNet-20 workload, one image with seeded parameters, on a 16x16 array: every
/// command's times are fast's and every integer is the reference's.
void check_resnet20(const std::string& workload, PeKind pe, Dataflow dataflow) {
  const IntegerNetwork network =
      seeded_network(read_workload(load_json(find_file("resnet20-cifar-" + workload, ""))), 3);
  Machine machine;
  machine.array.rows = machine.array.cols = 16;
  machine.array.pe = pe;
  machine.array.dataflow = dataflow;
  const Program program = compile(network, machine, {}, FastEngine::timer);
  RtlEngine rtl;
  const CosimResult result =
      cosimulate(workload, program, network, seeded_inputs(network, 1, 4), {&rtl});
  CHECK(result.divergence.value_or("") == "");
  CHECK(program.layers.size() >= 20);
  CHECK(rtl.stepped() > 100'000 / (pe == PeKind::kFused ? 16U : 1U));
}

TEST_CASE("ResNet-20 at W8A8 is the same on rtl, ws int8", "[rtl][network]") {
  check_resnet20("w8a8", PeKind::kInt8, Dataflow::kWs);
}
TEST_CASE("ResNet-20 at W4A4 is the same on rtl, os fused", "[rtl][network]") {
  check_resnet20("w4a4", PeKind::kFused, Dataflow::kOs);
}
TEST_CASE("ResNet-20 at W2A2 is the same on rtl, is fused", "[rtl][network]") {
  check_resnet20("w2a2", PeKind::kFused, Dataflow::kIs);
}
TEST_CASE("ResNet-20 at 4 bits, ends at 8, is the same on rtl, ws fused", "[rtl][network]") {
  check_resnet20("w4a4-mixed", PeKind::kFused, Dataflow::kWs);
}
TEST_CASE("ResNet-20 with kernel-wise widths is the same on rtl, ws int4 in digit passes",
          "[rtl][network]") {
  check_resnet20("w4a4-kernelwise", PeKind::kInt4, Dataflow::kWs);
}

}  // namespace
}  // namespace bitpulse
