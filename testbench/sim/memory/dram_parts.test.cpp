// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <random>

#include "models/error.h"
#include "models/io/shipped.h"
#include "sim/memory/banked_dram.h"
#include "sim/memory/dram_timing.h"
#include "testbench/catch.h"

namespace bitpulse {
namespace {

/// Share of the peak bandwidth that `accesses` bursts reach.
double efficiency(const DramTiming& t, std::uint64_t accesses,
                  const std::function<std::uint64_t(std::uint64_t)>& address) {
  BankedDram dram(t, t.dram_mhz);
  dram.begin(0);
  for (std::uint64_t i = 0; i < accesses; ++i) {
    dram.access(address(i) * t.burst_bytes, t.burst_bytes, false);
  }
  const double ideal = static_cast<double>(accesses) * t.burst_clocks / t.channels;
  return ideal / static_cast<double>(dram.finish());
}

TEST_CASE("a stream loses only the refreshes of peak bandwidth on every shipped part",
          "[sim][memory][bandwidth]") {
  for (const std::string& name : shipped_names("dram")) {
    const DramTiming t = load_dram_timing(name);
    const double refresh = static_cast<double>(t.t_rfc) / t.t_refi;
    const double share = efficiency(t, 400'000, [](std::uint64_t i) { return i; });
    CAPTURE(name, share, refresh);
    CHECK(share < 1 - refresh);         // refresh stops all banks
    CHECK(share > 1 - refresh - 0.02);  // closing and opening rows around it: < 2 %
  }
}

TEST_CASE("rows of one bank cost t_rc each, random bursts something between",
          "[sim][memory][bandwidth]") {
  for (const std::string& name : shipped_names("dram")) {
    const DramTiming t = load_dram_timing(name);
    const std::uint64_t row = std::uint64_t{t.row_bytes} / t.burst_bytes * t.channels * t.banks;
    const double refresh = static_cast<double>(t.t_rfc) / t.t_refi;
    const double conflict = efficiency(t, 20'000, [row](std::uint64_t i) { return i * row; });
    const double expected = static_cast<double>(t.burst_clocks) / t.channels / t.t_rc;
    std::mt19937_64 random(1);
    const double scattered =
        efficiency(t, 100'000, [&](std::uint64_t) { return random() % (row * 1000); });
    CAPTURE(name, conflict, scattered);
    CHECK(conflict == Approx(expected * (1 - refresh)).epsilon(0.02));
    CHECK(scattered > 2 * conflict);
    CHECK(scattered < 0.9 * (1 - refresh));
  }
}

TEST_CASE("the shipped parts have the bandwidth of their names", "[sim][memory][bandwidth]") {
  const auto gb_per_s = [](const char* name) {
    const DramTiming t = load_dram_timing(name);
    return t.dram_mhz * 1e6 / t.burst_clocks * t.burst_bytes * t.channels / 1e9;
  };
  CHECK(gb_per_s("ddr4-2400") == Approx(19.2));    // 64 bits at 2400 MT/s
  CHECK(gb_per_s("lpddr4-3200") == Approx(12.8));  // 32 bits at 3200 MT/s
  CHECK(gb_per_s("hbm2") == Approx(256));          // 1024 bits at 2000 MT/s
}

const std::string kPart = R"({
  "schema": "bitpulse/dram/1", "name": "x", "source": "test", "dram_mhz": 1000,
  "channels": 1, "banks": 4, "row_bytes": 1024, "burst_bytes": 64, "burst_clocks": 4,
  "t_rcd": 10, "t_rp": 11, "t_cl": 12, "t_cwl": 9, "t_ras": 25, "t_rc": 36, "t_ccd": 4,
  "t_rrd": 5, "t_faw": 24, "t_wr": 13, "t_wtr": 7, "t_rtp": 6, "t_refi": 7800, "t_rfc": 200 })";

std::string refusal(const std::string& from, const std::string& to) {
  std::string text = kPart;
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  try {
    read_dram_timing(parse_json(text, "part.json"));
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInvalidInput);
    return error.what();
  }
  return "accepted";
}

TEST_CASE("a DRAM part is read back value by value", "[sim][memory][reader]") {
  const DramTiming t = read_dram_timing(parse_json(kPart, "part.json"));
  CHECK(t.name == "x");
  CHECK(t.source == "test");
  CHECK(t.dram_mhz == 1000);
  CHECK(t.row_bytes == 1024);
  CHECK(t.t_rtp == 6);
  CHECK(t.t_refi == 7800);
}

TEST_CASE("a wrong DRAM part is refused with its place", "[sim][memory][reader]") {
  const auto contains = [](const std::string& text, const char* part) {
    CAPTURE(text);
    CHECK(text.find("part.json") != std::string::npos);
    CHECK(text.find(part) != std::string::npos);
  };
  contains(refusal("dram/1", "dram/2"), "/schema");
  contains(refusal("\"t_rcd\": 10, ", ""), "t_rcd");
  contains(refusal("\"t_rcd\": 10", "\"t_rcd\": 10, \"t_zq\": 1"), "t_zq");
  contains(refusal("\"t_rcd\": 10", "\"t_rcd\": 10.5"), "/t_rcd");
  contains(refusal("\"t_rcd\": 10", "\"t_rcd\": -1"), "/t_rcd");
  contains(refusal("\"t_rcd\": 10", "\"t_rcd\": 0"), "/t_rcd");
  contains(refusal("\"banks\": 4", "\"banks\": 6"), "/banks");
  contains(refusal("\"burst_bytes\": 64", "\"burst_bytes\": 2048"), "/burst_bytes");
  contains(refusal("\"dram_mhz\": 1000", "\"dram_mhz\": 0"), "/dram_mhz");
  contains(refusal("\"t_refi\": 7800", "\"t_refi\": 250"), "/t_refi");
}

TEST_CASE("an unknown DRAM part is answered with those there are", "[sim][memory][reader]") {
  try {
    load_dram_timing("ddr9-1");
    FAIL("accepted");
  } catch (const Error& error) {
    const std::string text = error.what();
    CHECK(text.find("ddr9-1") != std::string::npos);
    CHECK(text.find("ddr4-2400, hbm2, lpddr4-3200") != std::string::npos);
  }
}

}  // namespace
}  // namespace bitpulse
