// SPDX-License-Identifier: Apache-2.0
#include "sim/timeline.h"

#include "models/error.h"
#include "sim/fast/fast_engine.h"
#include "testbench/catch.h"
#include "testbench/sim/fast/program_builder.h"

namespace bitpulse {
namespace {

constexpr int kDma = static_cast<int>(Unit::kDma);
constexpr int kArray = static_cast<int>(Unit::kArray);
constexpr int kVector = static_cast<int>(Unit::kVector);

FoldNest any_nest() { return {}; }

TEST_CASE("a gap before a command is a stall on the predecessor that finishes last",
          "[sim][timeline]") {
  ProgramBuilder b{Machine{}};
  b.load(1);                 // 0: 0-10
  b.array(any_nest(), {0});  // 1: 10-30, stalled 10 on dma
  b.load(1);                 // 2: 10-15
  b.layer("second");
  b.vector(1, 1, {1, 2});       // 3: 30-34, stalled 30 on array
  b.load(1, {3});               // 4: 34-40, stalled 19 on vector
  b.array(any_nest(), {4, 3});  // 5: 40-45, stalled 10 on dma
  const std::vector<CommandTime> times = {{0, 10},  {10, 30}, {10, 15},
                                          {30, 34}, {34, 40}, {40, 45}};
  const Timeline t = account(b.program(), times);

  CHECK(t.cycles == 45);
  CHECK(t.busy == std::array<std::uint64_t, 3>{21, 25, 4});
  CHECK(t.stalled == std::array<std::uint64_t, 3>{19, 20, 30});
  CHECK(t.idle == std::array<std::uint64_t, 3>{5, 0, 11});
  CHECK(t.layers[0].cycles == 30);
  CHECK(t.layers[1].cycles == 15);
  CHECK(t.layers[0].array_cycles == 20);
  CHECK(t.layers[1].array_cycles == 5);
  CHECK(t.layers[0].stall[kArray][kDma] == 10);
  CHECK(t.layers[1].stall[kArray][kDma] == 10);
  CHECK(t.layers[1].stall[kVector][kArray] == 30);
  CHECK(t.layers[1].stall[kDma][kVector] == 19);
  CHECK(t.layers[0].stall[kDma][kVector] == 0);
}

TEST_CASE("of two predecessors that finish together the lower number is the cause",
          "[sim][timeline]") {
  ProgramBuilder b{Machine{}};
  b.vector(1, 1);
  b.load(1);
  b.array(any_nest(), {1, 0});
  const Timeline t = account(b.program(), {{0, 7}, {0, 7}, {7, 9}});
  CHECK(t.layers[0].stall[kArray][kVector] == 7);
  CHECK(t.layers[0].stall[kArray][kDma] == 0);
}

TEST_CASE("a cycle that two array commands share belongs to the older one", "[sim][timeline]") {
  ProgramBuilder b{Machine{}};
  b.array(any_nest());
  b.layer("second");
  b.array(any_nest());
  b.layer("third");
  b.array(any_nest());
  // The second ends inside the first; the third reaches 5 cycles beyond it.
  const Timeline t = account(b.program(), {{0, 20}, {10, 18}, {16, 25}});
  CHECK(t.busy[kArray] == 25);
  CHECK(t.layers[0].array_cycles == 20);
  CHECK(t.layers[1].array_cycles == 0);
  CHECK(t.layers[2].array_cycles == 5);
  // The first layer's finish covers the second's.
  CHECK(t.layers[1].cycles == 0);
  CHECK(t.layers[2].cycles == 5);
}

TEST_CASE("a layer without commands takes no cycles", "[sim][timeline]") {
  ProgramBuilder b{Machine{}};
  b.layer("empty");
  b.layer("third");
  b.load(1);
  const Timeline t = account(b.program(), {{0, 3}});
  CHECK(t.layers[0].cycles == 0);
  CHECK(t.layers[1].cycles == 0);
  CHECK(t.layers[2].cycles == 3);
}

TEST_CASE("times that no rule explains are refused", "[sim][timeline]") {
  ProgramBuilder b{Machine{}};
  b.load(1);
  b.load(1);
  b.vector(1, 1, {0});
  CHECK_NOTHROW(account(b.program(), {{0, 5}, {5, 9}, {5, 8}}));
  CHECK_THROWS_AS(account(b.program(), {{0, 5}, {6, 9}, {5, 8}}), Error);  // late for no reason
  CHECK_THROWS_AS(account(b.program(), {{1, 5}, {5, 9}, {5, 8}}), Error);  // the first one, too
  CHECK_THROWS_AS(account(b.program(), {{0, 5}, {5, 9}, {6, 8}}), Error);
  CHECK_THROWS_AS(account(b.program(), {{0, 5}, {5, 4}, {5, 8}}), Error);  // ends before it starts
}

/// Two layers of one tile each, whose plan is what the commands do.
Program planned_program() {
  Machine machine;
  machine.array.rows = machine.array.cols = 4;
  machine.dram.bytes_per_cycle = 4;
  ProgramBuilder b{machine};
  for (int l = 0; l < 2; ++l) {
    if (l > 0) b.layer("second");
    LayerPlan& plan = b.program().layers.back();
    plan.m = 6;
    plan.k = 5;
    plan.n = 3;
    plan.macs = 90;
    WidthGroup& group = plan.width_groups[0];
    group.k_packed = 5;
    group.groups = {0};
    group.channels = {{0, 1, 2}};
    const CommandId load = b.load(64);
    FoldNest nest;
    nest.rows_extent = 5;
    nest.cols_extent = 3;
    nest.stream = 6;
    const CommandId tile = b.array(nest, {load});
    b.program().array.back().macs = 90;
    b.store(18, {b.vector(18, 1, {tile})});
  }
  return b.program();
}

std::string violated(const Program& program, const RunResult& result, const Timeline& timeline) {
  try {
    check_identities(program, result, timeline);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInternal);
    return error.what();
  }
  return "";
}

TEST_CASE("identities hold for a run and each violation is named", "[sim][timeline][identity]") {
  const Program program = planned_program();
  const RunResult good = FastEngine().run(program);
  const Timeline timeline = account(program, good.times);
  CHECK(violated(program, good, timeline) == "");

  const auto contains = [](const std::string& text, const char* part) {
    CAPTURE(text);
    CHECK(text.find(part) != std::string::npos);
  };
  RunResult wrong = good;
  ++wrong.layers[1].macs.begin()->second;
  contains(violated(program, wrong, timeline), "layer \"second\": MACs is 91, expected exactly 90");
  wrong = good;
  --wrong.layers[0].pe_cycles_used;
  contains(violated(program, wrong, timeline), "used PE-cycles is 89, expected exactly 90");
  wrong = good;
  ++wrong.layers[0].dram_read_bytes;
  contains(violated(program, wrong, timeline), "DRAM bytes is 83, expected exactly 82");
  wrong = good;
  wrong.layers[0].vector_element_ops += 32 * timeline.cycles;
  contains(violated(program, wrong, timeline), "busy cycles of the vector unit");

  Timeline off = timeline;
  ++off.busy[kDma];
  contains(violated(program, good, off), "dma: busy + stalled + idle");
  off = timeline;
  ++off.layers[0].cycles;
  contains(violated(program, good, off), "sum of layer cycles");
  off = timeline;
  off.busy[kDma] -= 242, off.idle[kDma] += 242;  // 282 - 242 < 164 bytes / 4
  contains(violated(program, good, off), "busy cycles of the dma");
}

TEST_CASE("a banked run keeps its bandwidth bound", "[sim][timeline][identity]") {
  Program program = planned_program();
  program.machine.dram.model = DramModel::kBanked;
  DramTiming& t = program.machine.dram.timing;
  t.t_rcd = t.t_rp = t.t_cl = t.t_cwl = 10;
  t.t_ras = 30, t.t_rc = 40, t.t_ccd = 4, t.t_faw = 20, t.t_rrd = 4;
  t.t_wr = t.t_wtr = t.t_rtp = 8;
  t.t_refi = 5000, t.t_rfc = 200;
  RunResult result = FastEngine().run(program);
  const Timeline timeline = account(program, result.times);
  CHECK(violated(program, result, timeline) == "");
  CHECK(result.layers[0].dram_activates == 1);  // everything stands in row 0
  CHECK(result.layers[0].dram_row_hits == 1);
  CHECK(result.layers[1].dram_row_hits == 2);
  result.layers[1].dram_row_hits += timeline.cycles;
  CHECK(violated(program, result, timeline).find("dma is busy") != std::string::npos);
}

}  // namespace
}  // namespace bitpulse
