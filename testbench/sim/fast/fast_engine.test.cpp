// SPDX-License-Identifier: Apache-2.0
#include "sim/fast/fast_engine.h"

#include "models/error.h"
#include "testbench/catch.h"
#include "testbench/sim/fast/program_builder.h"

namespace bitpulse {
namespace {

Machine machine(std::uint32_t rows, std::uint32_t cols, Dataflow dataflow, bool overlap) {
  Machine m;
  m.array.rows = rows;
  m.array.cols = cols;
  m.array.dataflow = dataflow;
  m.array.overlap = overlap;
  m.dram.bytes_per_cycle = 1;
  m.dram.latency_cycles = 0;
  m.vector.lanes = 1;
  return m;
}

FoldNest fold(std::uint64_t rows, std::uint64_t cols, std::uint64_t stream) {
  FoldNest nest;
  nest.rows_extent = rows;
  nest.cols_extent = cols;
  nest.stream = stream;
  return nest;
}

std::vector<CommandTime> times(ProgramBuilder& builder) {
  const std::vector<CommandTime> result = FastEngine().run(builder.program()).times;
  std::uint64_t last = 0;
  for (const CommandTime& time : result) last = std::max(last, time.finish);
  CHECK(FastEngine::cycles(builder.program()) == last);
  return result;
}

TEST_CASE("one full fold takes 2R + C + T - 2 cycles in every dataflow",
          "[sim][fast][closed-form]") {
  const auto dataflow = GENERATE(Dataflow::kWs, Dataflow::kIs, Dataflow::kOs);
  const bool overlap = GENERATE(false, true);
  const auto [rows, cols, t] = GENERATE(table<std::uint32_t, std::uint32_t, std::uint64_t>(
      {{1, 1, 1}, {2, 3, 1}, {4, 4, 9}, {1, 7, 5}, {9, 1, 2}, {32, 16, 3136}, {1024, 1024, 1}}));
  CAPTURE(rows, cols, t, overlap);
  ProgramBuilder builder(machine(rows, cols, dataflow, overlap));
  builder.array(fold(rows, cols, t));
  CHECK(times(builder)[0] == CommandTime{0, 2 * rows + cols + t - 2});
}

TEST_CASE("an edge fold of r x c costs r + T + R + c - 2, alone and overlapped alike",
          "[sim][fast][closed-form]") {
  const auto dataflow = GENERATE(Dataflow::kWs, Dataflow::kIs, Dataflow::kOs);
  const bool overlap = GENERATE(false, true);
  ProgramBuilder builder(machine(8, 5, dataflow, overlap));
  builder.array(fold(3, 2, 10));
  CHECK(times(builder)[0] == CommandTime{0, 3 + 10 + 8 + 2 - 2});
}

TEST_CASE("without overlap folds follow one another", "[sim][fast][closed-form]") {
  const auto dataflow = GENERATE(Dataflow::kWs, Dataflow::kIs, Dataflow::kOs);
  // 2 repeats x (rows 4, 4, 1) x (cols 3, 2) x 2 passes, T = 6, R = 4: each costs r + 6 + 4 + c
  // - 2.
  FoldNest nest = fold(9, 5, 6);
  nest.repeats = 2;
  nest.passes = 2;
  ProgramBuilder builder(machine(4, 3, dataflow, false));
  builder.array(nest);
  CHECK(times(builder)[0].finish == 4 * ((15 + 15 + 12) + (14 + 14 + 11)));
}

// Hand-worked overlap: R = 4, C = 4. Columns: folds (r, c, T) of two commands, what the second
// waits for (a load finishing at `p`), expected times of both.
TEST_CASE("weights of the next fold load under the stream of this one", "[sim][fast][overlap]") {
  struct Row {
    FoldNest first, second;
    std::uint64_t p;
    CommandTime a, b;
  };
  const auto row = GENERATE(values<Row>({
      // S0 = 4, S1 = 4 + max(10, 4) = 14: the preload hides; finish = S + T + R + c - 2.
      {fold(4, 4, 10), fold(4, 4, 10), 0, {0, 20}, {10, 30}},
      // T = 2 < r: the second preload (4 cycles) starts with the first stream.
      {fold(4, 4, 2), fold(4, 4, 2), 0, {0, 12}, {4, 16}},
      // A smaller second fold preloads in its last two cycles: as late as possible.
      {fold(4, 4, 10), fold(2, 1, 3), 0, {0, 20}, {12, 20}},
      // A short narrow fold finishes before its predecessor in the queue.
      {fold(4, 4, 1), fold(1, 1, 1), 0, {0, 11}, {4, 9}},
      // The predecessor's finish binds: S1 = p + r.
      {fold(4, 4, 10), fold(4, 4, 10), 100, {0, 20}, {100, 120}},
      // ... and does not: p + r = 14 is when the stream is free anyway.
      {fold(4, 4, 10), fold(4, 4, 10), 10, {0, 20}, {10, 30}},
      {fold(4, 4, 10), fold(4, 4, 10), 11, {0, 20}, {11, 31}},
  }));
  const auto dataflow = GENERATE(Dataflow::kWs, Dataflow::kIs);
  ProgramBuilder builder(machine(4, 4, dataflow, true));
  builder.array(row.first);
  builder.load(row.p);
  builder.array(row.second, {1});
  const auto t = times(builder);
  CAPTURE(row.p, row.second.rows_extent, row.second.stream);
  CHECK(t[0] == row.a);
  CHECK(t[2] == row.b);
}

TEST_CASE("finished sums drain under the stream of the next fold", "[sim][fast][overlap]") {
  struct Row {
    FoldNest first, second;
    std::uint64_t p;
    CommandTime a, b;
  };
  const auto row = GENERATE(values<Row>({
      // S1 = max(10, 4 + 10 - 10) = 10; finish = S + T + R + r + c - 2.
      {fold(4, 4, 10), fold(4, 4, 10), 0, {0, 20}, {10, 30}},
      // A short next stream would catch up with the drain: S1 = 4 + 10 - 2.
      {fold(4, 4, 10), fold(4, 4, 2), 0, {0, 20}, {12, 24}},
      // Few rows drain fast: S1 = max(10, 1 + 10 - 2).
      {fold(1, 4, 10), fold(4, 4, 2), 0, {0, 17}, {10, 22}},
      {fold(4, 4, 2), fold(4, 4, 2), 0, {0, 12}, {4, 16}},
      // A wide fold's last columns are done after the narrow fold behind it.
      {fold(4, 4, 5), fold(1, 1, 5), 0, {0, 15}, {5, 14}},
      {fold(4, 4, 10), fold(4, 4, 10), 10, {0, 20}, {10, 30}},
      {fold(4, 4, 10), fold(4, 4, 10), 11, {0, 20}, {11, 31}},
  }));
  ProgramBuilder builder(machine(4, 4, Dataflow::kOs, true));
  builder.array(row.first);
  builder.load(row.p);
  builder.array(row.second, {1});
  const auto t = times(builder);
  CAPTURE(row.p, row.second.rows_extent, row.second.stream);
  CHECK(t[0] == row.a);
  CHECK(t[2] == row.b);
}

TEST_CASE("a wide column fold may be the last to finish in its command", "[sim][fast][overlap]") {
  // ws, C = 8: columns 8 and 1, one row fold of r = 1, T = 2. S = 1 and 3;
  // finishes 1 + 2 + 4 + 8 - 2 = 13 and 3 + 2 + 4 + 1 - 2 = 8.
  ProgramBuilder builder(machine(4, 8, Dataflow::kWs, true));
  builder.array(fold(1, 9, 2));
  CHECK(times(builder)[0] == CommandTime{0, 13});
}

TEST_CASE("dma takes latency plus bytes over bandwidth, vector 4 plus its passes", "[sim][fast]") {
  Machine m = machine(4, 4, Dataflow::kWs, true);
  m.dram.bytes_per_cycle = 16;
  m.dram.latency_cycles = 60;
  m.vector.lanes = 8;
  ProgramBuilder builder(m);
  builder.load(33);            // 60 + 3
  builder.load(32, {0});       // 60 + 2, after the first
  builder.vector(17, 3, {0});  // 4 + 3 * 3
  builder.vector(8, 1);        // queue order: after the other
  const auto t = times(builder);
  CHECK(t[0] == CommandTime{0, 63});
  CHECK(t[1] == CommandTime{63, 125});
  CHECK(t[2] == CommandTime{63, 76});
  CHECK(t[3] == CommandTime{76, 81});
}

TEST_CASE("a program that cannot go on names the command and what it waits for",
          "[sim][fast][deadlock]") {
  ProgramBuilder builder(machine(4, 4, Dataflow::kWs, true));
  builder.layer("conv1");
  builder.load(8, {1});               // waits for the array,
  builder.array(fold(1, 1, 1), {2});  // which waits for a load queued behind the first
  builder.load(8);
  std::string text;
  try {
    FastEngine().run(builder.program());
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInternal);
    text = error.what();
  }
  CHECK(text.find("command 0 (dma, layer \"conv1\") waits for command 1 (array") !=
        std::string::npos);
  CHECK_THROWS_AS(FastEngine::cycles(builder.program()), Error);
}

TEST_CASE("predecessors with higher numbers are waited for", "[sim][fast]") {
  ProgramBuilder builder(machine(1, 1, Dataflow::kWs, true));
  builder.vector(6, 1, {1});
  builder.load(5);
  const auto t = times(builder);
  CHECK(t[0] == CommandTime{5, 15});
}

TEST_CASE("an empty program takes no time", "[sim][fast]") {
  ProgramBuilder builder(machine(1, 1, Dataflow::kOs, true));
  CHECK(times(builder).empty());
}

}  // namespace
}  // namespace bitpulse
