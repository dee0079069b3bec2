// SPDX-License-Identifier: Apache-2.0
#include "sim/memory/dram_timing.h"

#include <algorithm>

#include "models/io/shipped.h"

namespace bitpulse {
namespace {

struct Field {
  const char* key;
  std::uint32_t DramTiming::*member;
  std::uint32_t max;
};

constexpr Field kSizes[] = {{"channels", &DramTiming::channels, 64},
                            {"banks", &DramTiming::banks, 256},
                            {"row_bytes", &DramTiming::row_bytes, 1u << 20},
                            {"burst_bytes", &DramTiming::burst_bytes, 4096}};

constexpr Field kClocks[] = {
    {"burst_clocks", &DramTiming::burst_clocks, 64},
    {"t_rcd", &DramTiming::t_rcd, 1000},
    {"t_rp", &DramTiming::t_rp, 1000},
    {"t_cl", &DramTiming::t_cl, 1000},
    {"t_cwl", &DramTiming::t_cwl, 1000},
    {"t_ras", &DramTiming::t_ras, 1000},
    {"t_rc", &DramTiming::t_rc, 2000},
    {"t_ccd", &DramTiming::t_ccd, 1000},
    {"t_faw", &DramTiming::t_faw, 1000},
    {"t_rrd", &DramTiming::t_rrd, 1000},
    {"t_wr", &DramTiming::t_wr, 1000},
    {"t_wtr", &DramTiming::t_wtr, 1000},
    {"t_rtp", &DramTiming::t_rtp, 1000},
    {"t_refi", &DramTiming::t_refi, 10'000'000},
    {"t_rfc", &DramTiming::t_rfc, 1'000'000},
};

}  // namespace

DramTiming read_dram_timing(const JsonValue& root) {
  root.require_schema("bitpulse/dram/1");
  root.only_keys({"schema",    "name",        "source",       "dram_mhz", "channels", "banks",
                  "row_bytes", "burst_bytes", "burst_clocks", "t_rcd",    "t_rp",     "t_cl",
                  "t_cwl",     "t_ras",       "t_rc",         "t_ccd",    "t_faw",    "t_rrd",
                  "t_wr",      "t_wtr",       "t_rtp",        "t_refi",   "t_rfc"});
  DramTiming timing;
  timing.name = root.at("name").text();
  timing.source = root.at("source").text();
  timing.file = root.file();
  if (timing.source.empty()) root.at("source").fail("the source of the numbers");
  timing.dram_mhz = root.at("dram_mhz").number(1, 10'000);
  for (const Field& field : kSizes) {
    const JsonValue value = root.at(field.key);
    timing.*field.member = static_cast<std::uint32_t>(value.integer(1, field.max));
    if ((timing.*field.member & (timing.*field.member - 1)) != 0) value.fail("a power of two");
  }
  for (const Field& field : kClocks) {
    timing.*field.member = static_cast<std::uint32_t>(root.at(field.key).integer(1, field.max));
  }
  if (timing.burst_bytes > timing.row_bytes) {
    root.at("burst_bytes").fail("at most row_bytes");
  }
  // A refresh that falls due while a burst is in flight is over before the next one is due.
  const std::uint32_t close =
      std::max({timing.t_ras, timing.t_rtp, timing.t_cwl + timing.burst_clocks + timing.t_wr});
  const std::uint32_t busy = std::max(close + timing.t_rp, timing.t_rc) + timing.t_rfc;
  const std::uint32_t open = timing.t_rcd + timing.t_cl + timing.burst_clocks;
  if (timing.t_refi <= busy + open) {
    root.at("t_refi").fail("more than " + std::to_string(busy + open) +
                           ", the clocks that closing, refreshing and opening a row take");
  }
  return timing;
}

DramTiming load_dram_timing(const std::string& name) {
  return read_dram_timing(load_json(find_file(name, "dram")));
}

}  // namespace bitpulse
