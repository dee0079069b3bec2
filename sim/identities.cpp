// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "models/error.h"
#include "sim/timeline.h"

namespace bitpulse {
namespace {

constexpr std::size_t kDma = static_cast<std::size_t>(Unit::kDma);
constexpr std::size_t kArray = static_cast<std::size_t>(Unit::kArray);
constexpr std::size_t kVector = static_cast<std::size_t>(Unit::kVector);

[[noreturn]] void fail(const std::string& where, const std::string& what, const char* relation,
                       std::uint64_t found, std::uint64_t expected) {
  throw Error(ErrorKind::kInternal, "identity: " + where + ": " + what + " is " +
                                        std::to_string(found) + ", expected " + relation + " " +
                                        std::to_string(expected));
}

void expect_equal(const std::string& where, const std::string& what, std::uint64_t found,
                  std::uint64_t expected) {
  if (found != expected) fail(where, what, "exactly", found, expected);
}

/// `cycles` at `per_cycle` each must be enough for `amount`.
void expect_bound(const std::string& what, std::uint64_t cycles, std::uint64_t per_cycle,
                  std::uint64_t amount) {
  const std::uint64_t bound = (amount + per_cycle - 1) / per_cycle;
  if (cycles < bound) fail("whole run", what, "at least", cycles, bound);
}

void check_layer(const LayerPlan& plan, const Counters& counters, std::uint64_t dram_bytes) {
  std::uint64_t macs = 0, planned_pe_cycles = 0;
  for (const auto& [precision, count] : counters.macs) macs += count;
  for (const WidthGroup& group : plan.width_groups) {
    planned_pe_cycles +=
        static_cast<std::uint64_t>(plan.m * group.k_packed * group.channel_count()) *
        static_cast<std::uint64_t>(group.mode.passes());
  }
  const std::string where = "layer \"" + plan.name + "\"";
  expect_equal(where, "MACs", macs, static_cast<std::uint64_t>(plan.macs));
  expect_equal(where, "used PE-cycles", counters.pe_cycles_used, planned_pe_cycles);
  expect_equal(where, "DRAM bytes", counters.dram_read_bytes + counters.dram_write_bytes,
               dram_bytes);
}

void check_timeline(const Timeline& timeline) {
  std::array<std::uint64_t, kUnitCount> stalled{};
  std::uint64_t cycles = 0, array_cycles = 0;
  for (const LayerTimeline& layer : timeline.layers) {
    cycles += layer.cycles;
    array_cycles += layer.array_cycles;
    for (std::size_t u = 0; u < kUnitCount; ++u) {
      for (const std::uint64_t stall : layer.stall[u]) stalled[u] += stall;
    }
  }
  expect_equal("whole run", "sum of layer cycles", cycles, timeline.cycles);
  expect_equal("whole run", "sum of array cycles", array_cycles, timeline.busy[kArray]);
  for (std::size_t u = 0; u < kUnitCount; ++u) {
    expect_equal(kUnitNames[u], "busy + stalled + idle",
                 timeline.busy[u] + timeline.stalled[u] + timeline.idle[u], timeline.cycles);
    expect_equal(kUnitNames[u], "sum of stalls by layer", stalled[u], timeline.stalled[u]);
  }
}

/// Bursts times their bus time cannot exceed the busy time of all channels.
void check_banked_bandwidth(const Machine& machine, std::uint64_t dma_busy, std::uint64_t bursts) {
  const DramTiming& t = machine.dram.timing;
  const double bus_us = static_cast<double>(bursts) * t.burst_clocks / t.channels / t.dram_mhz;
  const double busy_us = static_cast<double>(dma_busy) / machine.clock_mhz;
  if (bus_us > busy_us * (1 + 1e-9)) {
    throw Error(ErrorKind::kInternal, "identity: whole run: dma is busy for " +
                                          std::to_string(busy_us) + " us, expected at least " +
                                          std::to_string(bus_us) + " us for its bursts");
  }
}

}  // namespace

void check_identities(const Program& program, const RunResult& result, const Timeline& timeline) {
  std::vector<std::uint64_t> dram_bytes(program.layers.size(), 0);
  for (const Command& command : program.commands) {
    if (command.unit != Unit::kDma) continue;
    const DmaCommand& dma = program.dma[command.payload];
    if (!dma.on_chip) dram_bytes[command.layer] += dma.bytes;
  }
  check_identities(program, result.layers, dram_bytes, timeline);
}

void check_identities(const Program& program, const std::vector<Counters>& layers,
                      const std::vector<std::uint64_t>& dram_bytes, const Timeline& timeline) {
  Counters total;
  for (std::size_t l = 0; l < program.layers.size(); ++l) {
    check_layer(program.layers[l], layers[l], dram_bytes[l]);
    total += layers[l];
  }
  check_timeline(timeline);

  const Machine& machine = program.machine;
  const std::uint64_t pes = std::uint64_t{machine.array.rows} * machine.array.cols;
  expect_bound("busy cycles of the array", timeline.busy[kArray], pes, total.pe_cycles_used);
  expect_bound("busy cycles of the vector unit", timeline.busy[kVector], machine.vector.lanes,
               total.vector_element_ops);
  if (machine.dram.model == DramModel::kFixed) {
    expect_bound("busy cycles of the dma", timeline.busy[kDma], machine.dram.bytes_per_cycle,
                 total.dram_read_bytes + total.dram_write_bytes);
  } else {
    check_banked_bandwidth(machine, timeline.busy[kDma],
                           total.dram_activates + total.dram_row_hits);
  }
}

}  // namespace bitpulse
