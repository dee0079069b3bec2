// SPDX-License-Identifier: Apache-2.0
#include "testbench/sim/report/samples.h"

namespace bitpulse {
namespace {

WidthGroup width_group(std::uint8_t bits, std::int64_t k_packed, std::int64_t channels) {
  WidthGroup group;
  group.weight_bits = bits;
  group.k_packed = k_packed;
  group.groups = {0};
  group.channels = {std::vector<std::int64_t>(static_cast<std::size_t>(channels))};
  return group;
}

LayerReport layer(const char* name, const char* kind, std::vector<WidthGroup> groups) {
  LayerReport report;
  report.plan.name = name;
  report.plan.kind = kind;
  report.plan.width_groups = std::move(groups);
  if (!report.plan.width_groups.empty()) {
    report.plan.m = 49;
    report.plan.k = 18;
    report.plan.n = 8;
    report.plan.act_bits = 4;
    report.plan.macs = 49 * 18 * 8;
  }
  report.timeline.cycles = 1000;
  report.energy = {{"array", Picojoules(1.5)}, {"dram", Picojoules(2.5)}};
  return report;
}

}  // namespace

Report sample_report() {
  Report report;
  report.build = build_info();
  report.command = "bitpulse run w.json --machine m.json";
  report.inputs = {{"w.json", std::string(64, '0')}};
  report.workload_document = parse_json(
      R"({"schema": "bitpulse/workload/1", "name": "w", "network": "x", "quantization": {"weights": 4}})",
      "w.json");
  report.machine_document =
      parse_json(R"({"schema": "bitpulse/machine/1", "array": {"rows": 4}})", "m.json");
  report.workload.name = "w";
  report.engine = "fast";
  report.layers = {layer("c1", "conv2d", {width_group(4, 18, 8)}),
                   layer("c2", "conv2d", {width_group(4, 18, 5), width_group(2, 9, 3)}),
                   layer("=pool", "max_pool", {})};
  LayerReport& first = report.layers.front();
  first.timeline
      .stall[static_cast<std::size_t>(Unit::kArray)][static_cast<std::size_t>(Unit::kDma)] = 7;
  first.counters.dram_read_bytes = 100;
  first.counters.overflow_intermediate = 3;
  first.counters.macs[{4, 4}] = 7056;
  report.totals.cycles = 3000;
  report.totals.counters.overflow_intermediate = 3;
  report.totals.energy = {{"array", Picojoules(4.5)}, {"dram", Picojoules(7.5)}};
  report.totals.area = {{"array", SquareMicrons(1e6)}};
  report.technology = {"technology.json", "45 nm", {"a paper"}, {"sram of 3 KiB"}};
  report.environment = {"host", "2026-01-01T00:00:00Z", 2, 0.5, 1000};
  return report;
}

}  // namespace bitpulse
