// SPDX-License-Identifier: Apache-2.0
#include "sim/memory/dma_runs.h"

#include <random>

#include "testbench/catch.h"

namespace bitpulse {
namespace {

using Bytes = std::vector<std::uint64_t>;

/// Every byte of every run, run by run.
Bytes touched_bytes(const Program& program, const DmaCommand& dma) {
  Bytes bytes;
  for (std::uint32_t i = 0; i < dma.pattern_count; ++i) {
    const DmaPattern& p = program.patterns[dma.first_pattern + i];
    for (std::uint64_t row = 0; row < p.rows; ++row) {
      for (std::uint64_t run = 0; run < p.runs; ++run) {
        const std::uint64_t first = p.dram_bit + row * p.dram_row_stride + run * p.dram_run_stride;
        for (std::uint64_t b = first / 8; b * 8 < first + p.run_bits; ++b) bytes.push_back(b);
      }
    }
  }
  return bytes;
}

/// A byte that two runs share is one byte where the runs follow one another.
Bytes without_repeats(Bytes bytes) {
  bytes.erase(std::unique(bytes.begin(), bytes.end()), bytes.end());
  return bytes;
}

TEST_CASE("runs are handed over byte for byte in the order of their patterns", "[sim][memory]") {
  std::mt19937 random(5);
  const auto pick = [&](std::uint64_t min, std::uint64_t max) {
    return min + random() % (max - min + 1);
  };
  for (int i = 0; i < 2000; ++i) {
    Program program;
    DmaCommand dma;
    dma.pattern_count = static_cast<std::uint32_t>(pick(1, 3));
    for (std::uint32_t n = 0; n < dma.pattern_count; ++n) {
      DmaPattern p;
      p.dram_bit = pick(0, 300);
      p.run_bits = pick(1, 40);
      p.runs = pick(1, 4);
      p.dram_run_stride = p.run_bits + (pick(0, 1) ? pick(0, 20) : 0);
      p.rows = pick(1, 4);
      p.dram_row_stride = p.runs * p.dram_run_stride + (pick(0, 1) ? pick(0, 50) : 0);
      program.patterns.push_back(p);
    }
    Bytes visited;
    for_each_byte_run(program, dma, [&](std::uint64_t address, std::uint64_t bytes) {
      REQUIRE(bytes > 0);
      for (std::uint64_t b = 0; b < bytes; ++b) visited.push_back(address + b);
    });
    REQUIRE(without_repeats(visited) == without_repeats(touched_bytes(program, dma)));
  }
}

TEST_CASE("runs without gaps are one run", "[sim][memory]") {
  Program program;
  DmaPattern p;
  p.dram_bit = 80;
  p.run_bits = 24;
  p.runs = 5;
  p.dram_run_stride = 24;
  p.rows = 3;
  p.dram_row_stride = 120;
  program.patterns = {p};
  DmaCommand dma;
  dma.pattern_count = 1;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> runs;
  const auto visit = [&](std::uint64_t address, std::uint64_t bytes) {
    runs.emplace_back(address, bytes);
  };
  for_each_byte_run(program, dma, visit);
  CHECK(runs == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{10, 45}});
  runs.clear();
  program.patterns[0].dram_row_stride = 128;
  for_each_byte_run(program, dma, visit);
  CHECK(runs == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{10, 15}, {26, 15}, {42, 15}});
}

}  // namespace
}  // namespace bitpulse
