// SPDX-License-Identifier: Apache-2.0
#include "sim/memory/banked_dram.h"

#include <random>

#include "testbench/catch.h"
#include "testbench/sim/memory/jedec.h"

namespace bitpulse {
namespace {

/// One channel, four banks of 1 KiB rows, 64-byte bursts; round numbers, refresh far away.
DramTiming plain() {
  DramTiming t;
  t.dram_mhz = 1000;
  t.channels = 1;
  t.banks = 4;
  t.row_bytes = 1024;
  t.burst_bytes = 64;
  t.burst_clocks = 4;
  t.t_rcd = 10;
  t.t_rp = 11;
  t.t_cl = 12;
  t.t_cwl = 9;
  t.t_ras = 25;
  t.t_rc = 36;
  t.t_ccd = 4;
  t.t_rrd = 5;
  t.t_faw = 24;
  t.t_wr = 13;
  t.t_wtr = 7;
  t.t_rtp = 6;
  t.t_refi = 1'000'000;
  t.t_rfc = 200;
  return t;
}
constexpr std::uint64_t kRow = 4 * 1024;  // bytes to the next row of the same bank

std::uint64_t read_at(BankedDram& dram, std::uint64_t start, std::uint64_t address,
                      std::uint64_t bytes) {
  dram.begin(start);
  dram.access(address, bytes, false);
  return dram.finish();
}

TEST_CASE("a cold read takes t_rcd + t_cl + burst, its neighbour one burst more",
          "[sim][memory][timing]") {
  BankedDram cold(plain(), 1000);
  CHECK(read_at(cold, 0, 0, 64) == 10 + 12 + 4);
  BankedDram two(plain(), 1000);
  CHECK(read_at(two, 0, 0, 128) == 10 + 12 + 4 + 4);
  CHECK(two.events() == DramEvents{1, 1, 0});
  // The row stays open: a later read of it pays t_cl only.
  CHECK(read_at(two, 1000, 512, 64) == 1000 + 12 + 4);
  CHECK(two.events() == DramEvents{1, 2, 0});
}

TEST_CASE("another row of the same bank is opened t_rc after the first", "[sim][memory][timing]") {
  BankedDram dram(plain(), 1000);
  dram.begin(0);
  dram.access(0, 64, false);
  dram.access(kRow, 64, false);
  // Precharge at max(t_ras, t_rcd + t_rtp) = 25, activate at 36, data from 36 + 10 + 12.
  CHECK(dram.finish() == 36 + 10 + 12 + 4);
  CHECK(dram.events() == DramEvents{2, 0, 0});
}

TEST_CASE("another bank is opened t_rrd after the first", "[sim][memory][timing]") {
  BankedDram dram(plain(), 1000);
  dram.begin(0);
  dram.access(0, 64, false);
  dram.access(1024, 64, false);
  CHECK(dram.finish() == 5 + 10 + 12 + 4);
}

TEST_CASE("a read after a write waits for the bus to turn round and t_wtr",
          "[sim][memory][timing]") {
  BankedDram dram(plain(), 1000);
  dram.begin(0);
  dram.access(0, 64, true);
  CHECK(dram.finish() == 10 + 9 + 4);
  dram.access(64, 64, false);
  CHECK(dram.finish() == (10 + 9 + 4 + 7) + 12 + 4);
}

TEST_CASE("a write after a read follows it on the data bus by two clocks",
          "[sim][memory][timing]") {
  BankedDram dram(plain(), 1000);
  dram.begin(0);
  dram.access(0, 64, false);
  dram.access(64, 64, true);
  CHECK(dram.finish() == (10 + 12 + 4 + 2) + 4);
}

TEST_CASE("a fifth activate waits for t_faw", "[sim][memory][timing]") {
  DramTiming t = plain();
  t.banks = 8;
  t.t_faw = 40;
  BankedDram dram(t, 1000);
  dram.begin(0);
  for (std::uint64_t bank = 0; bank < 5; ++bank) dram.access(bank * 1024, 64, false);
  CHECK(dram.finish() == 40 + 10 + 12 + 4);
}

TEST_CASE("commands begin and end on edges of the array clock", "[sim][memory][timing]") {
  // 26 DRAM clocks at 1000 MHz are 20.8 array cycles at 800 MHz and 7.8 at 300 MHz.
  BankedDram slow(plain(), 800);
  CHECK(read_at(slow, 0, 0, 64) == 21);
  BankedDram slower(plain(), 300);
  CHECK(read_at(slower, 0, 0, 64) == 8);
  // Array cycle 101 of 300 MHz begins at 336.67 ns: DRAM clock 337, done at 353 (row hit), cycle
  // 105.9.
  CHECK(read_at(slower, 101, 0, 64) == 106);
  // 1200 MHz has no whole number of picoseconds: 3 array cycles of 400 MHz are 9 clocks for ever.
  DramTiming t = plain();
  t.dram_mhz = 1200;
  t.t_refi = 4'000'000'000u;
  BankedDram exact(t, 400);
  read_at(exact, 0, 0, 64);
  const std::uint64_t far = 1'000'000'000;
  CHECK(read_at(exact, far, 0, 64) == far + 6);  // 16 clocks
}

TEST_CASE("a refresh falls due at every t_refi from time 0 and closes all rows",
          "[sim][memory][refresh]") {
  DramTiming t = plain();
  t.t_refi = 1000;
  BankedDram dram(t, 1000);
  CHECK(read_at(dram, 0, 0, 64) == 26);
  // The last clock at which a read still goes out before the refresh of clock 1000.
  CHECK(read_at(dram, 999, 64, 64) == 999 + 16);
  CHECK(dram.events() == DramEvents{1, 1, 0});
  // That read holds the row open until 999 + t_rtp; then t_rp, t_rfc and a cold read.
  CHECK(read_at(dram, 1015, 128, 64) == 999 + 6 + 11 + 200 + 26);
  CHECK(dram.events() == DramEvents{2, 1, 1});
  // Idle through refreshes 2 to 7: the last one at 7000 is over at 7200.
  CHECK(read_at(dram, 7100, 128, 64) == 7200 + 26);
  CHECK(dram.events() == DramEvents{3, 1, 7});
  CHECK(read_at(dram, 8900, 128, 64) == 8900 + 26);
  CHECK(dram.events() == DramEvents{4, 1, 8});
}

TEST_CASE("a command without bursts takes no time", "[sim][memory]") {
  BankedDram dram(plain(), 700);
  CHECK(read_at(dram, 123, 77, 0) == 123);
  CHECK(dram.events() == DramEvents{});
}

using Random = std::mt19937_64;
std::uint64_t pick(Random& random, std::uint64_t min, std::uint64_t max) {
  return min + random() % (max - min + 1);
}
std::uint32_t pick32(Random& random, std::uint32_t min, std::uint32_t max) {
  return static_cast<std::uint32_t>(pick(random, min, max));
}

DramTiming random_timing(Random& random) {
  DramTiming t;
  t.dram_mhz = static_cast<double>(pick(random, 200, 2000));
  t.channels = 1u << pick(random, 0, 3);
  t.banks = 1u << pick(random, 0, 4);
  t.burst_bytes = 1u << pick(random, 3, 6);
  t.row_bytes = t.burst_bytes << pick(random, 0, 4);
  t.burst_clocks = pick32(random, 1, 8);
  for (auto member :
       {&DramTiming::t_rcd, &DramTiming::t_rp, &DramTiming::t_cl, &DramTiming::t_cwl,
        &DramTiming::t_ras, &DramTiming::t_wr, &DramTiming::t_wtr, &DramTiming::t_rtp}) {
    t.*member = pick32(random, 1, 40);
  }
  t.t_rc = t.t_ras + t.t_rp + pick32(random, 0, 5);
  t.t_ccd = pick32(random, 1, 10);
  t.t_rrd = pick32(random, 1, 12);
  t.t_faw = pick32(random, 1, 60);
  t.t_rfc = pick32(random, 1, 150);
  t.t_refi = 400 + pick32(random, 0, 800);
  return t;
}

TEST_CASE("random traffic breaks no timing rule and equals a controller that checks every pair",
          "[sim][memory][differential]") {
  Random random(4711);
  for (int i = 0; i < 150; ++i) {
    const DramTiming t = random_timing(random);
    const double clock_mhz = static_cast<double>(pick(random, 100, 1500));
    BankedDram fast(t, clock_mhz);
    jedec::SlowDram slow(t, clock_mhz);
    std::vector<DramCommand> log;
    fast.log_to(&log);
    std::uint64_t now = 0;
    for (int command = 0; command < 12; ++command) {
      now += pick(random, 0, 3) == 0 ? pick(random, 0, 3000) : pick(random, 0, 20);
      fast.begin(now);
      slow.begin(now);
      const bool is_write = pick(random, 0, 2) == 0;
      for (int run = 0; run < 3; ++run) {
        const std::uint64_t address = pick(random, 0, 1u << pick(random, 6, 16));
        const std::uint64_t bytes = pick(random, 1, 1u << pick(random, 0, 11));
        const bool turn = pick(random, 0, 5) == 0;
        fast.access(address, bytes, is_write != turn);
        slow.access(address, bytes, is_write != turn);
      }
      now = fast.finish();
      CAPTURE(i, command);
      REQUIRE(now == slow.finish());
    }
    const auto order = [](const DramCommand& a, const DramCommand& b) {
      return std::tie(a.channel, a.clock, a.bank, a.kind, a.row) <
             std::tie(b.channel, b.clock, b.bank, b.kind, b.row);
    };
    std::vector<DramCommand> expected = slow.log();
    std::sort(log.begin(), log.end(), order);
    std::sort(expected.begin(), expected.end(), order);
    REQUIRE(log.size() == expected.size());
    for (std::size_t c = 0; c < log.size(); ++c) {
      REQUIRE_FALSE((order(log[c], expected[c]) || order(expected[c], log[c])));
    }
    REQUIRE(jedec::find_violation(t, log) == "");
  }
}

TEST_CASE("the rule checker sees a command that comes one clock early", "[sim][memory][checker]") {
  const DramTiming t = plain();
  BankedDram dram(t, 1000);
  std::vector<DramCommand> log;
  dram.log_to(&log);
  dram.begin(0);
  for (std::uint64_t i = 0; i < 6; ++i) dram.access(i % 3 * kRow + i % 2 * 1024, 64, i > 3);
  REQUIRE(jedec::find_violation(t, log) == "");
  // Every command but the first activate is held back by a rule or by its predecessor in the row.
  int early = 0;
  for (std::size_t c = 1; c < log.size(); ++c) {
    std::vector<DramCommand> wrong = log;
    --wrong[c].clock;
    if (!jedec::find_violation(t, wrong).empty()) ++early;
  }
  CHECK(early == static_cast<int>(log.size()) - 1);
}

TEST_CASE("cutting a run into pieces changes neither time nor events", "[sim][memory][property]") {
  Random random(99);
  for (int i = 0; i < 100; ++i) {
    const DramTiming t = random_timing(random);
    BankedDram whole(t, 500), pieces(t, 500);
    std::uint64_t now = 0;
    for (int command = 0; command < 5; ++command) {
      const std::uint64_t address = pick(random, 0, 5000), bytes = pick(random, 1, 3000);
      whole.begin(now);
      whole.access(address, bytes, false);
      pieces.begin(now);
      for (std::uint64_t at = 0; at < bytes;) {
        const std::uint64_t step = std::min(bytes - at, pick(random, 1, 100));
        pieces.access(address + at, step, false);
        at += step;
      }
      now = whole.finish();
      REQUIRE(pieces.finish() == now);
      REQUIRE(pieces.events() == whole.events());
    }
  }
}

}  // namespace
}  // namespace bitpulse
