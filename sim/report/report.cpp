// SPDX-License-Identifier: Apache-2.0
#include "sim/report/report.h"

#include <algorithm>
#include <utility>

#include "sim/energy/energy.h"
#include "sim/energy/technology.h"

namespace bitpulse {
namespace {

/// PE-cycles that the layer's products need at least: the sum over width groups of macs * P /
/// lanes.
double work_of(const LayerPlan& plan) {
  double work = 0;
  for (const WidthGroup& group : plan.width_groups) {
    const double macs = static_cast<double>(plan.m) * static_cast<double>(plan.k) *
                        static_cast<double>(group.channel_count());
    work += macs * group.mode.passes() / static_cast<double>(group.mode.lanes);
  }
  return work;
}

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

/// What DRAM can move in a cycle of the array's clock, latency and row misses left out.
double peak_bytes_per_cycle(const Machine& machine) {
  if (machine.dram.model == DramModel::kFixed) return machine.dram.bytes_per_cycle;
  const DramTiming& part = machine.dram.timing;
  const double bytes_per_clock =
      static_cast<double>(part.channels) * part.burst_bytes / part.burst_clocks;
  return bytes_per_clock * part.dram_mhz / machine.clock_mhz;
}

void add_unique(std::vector<std::string>& all, const std::vector<std::string>& more) {
  for (const std::string& text : more) {
    if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(text);
  }
}

}  // namespace

Totals priced_totals(const Report& run, const Machine& machine, const Technology& technology) {
  const Prices prices(machine, technology);
  Energies sum{};
  for (const LayerReport& layer : run.layers) {
    const Energies energies = prices(layer.counters, layer.timeline.cycles);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += energies[i];
  }
  Totals totals = run.totals;
  totals.energy = by_component(sum);
  totals.area = area(machine, technology).area;
  totals.time_ms = static_cast<double>(totals.cycles) / (machine.clock_mhz * 1e3);
  totals.gops = ratio(2.0 * static_cast<double>(totals.macs), totals.time_ms * 1e6);
  totals.dram_peak_bytes_per_cycle = peak_bytes_per_cycle(machine);
  return totals;
}

void price_report(Report& report, const Machine& machine, const Technology& technology) {
  const Prices prices(machine, technology);
  for (LayerReport& layer : report.layers) {
    layer.energy = by_component(prices(layer.counters, layer.timeline.cycles));
  }
  report.totals = priced_totals(report, machine, technology);
  report.machine = machine;
  report.technology = {technology.file, technology.node, sources(technology), {}};
  if (!report.layers.empty()) add_unique(report.technology.extrapolated, prices.extrapolated());
  add_unique(report.technology.extrapolated, area(machine, technology).extrapolated);
}

Report make_report(const Machine& machine, std::vector<LayerPlan> plans,
                   std::vector<Counters> counters, const Timeline& timeline) {
  Report report;
  const double peak =
      static_cast<double>(machine.array.rows) * static_cast<double>(machine.array.cols);
  Totals& totals = report.totals;
  double total_work = 0;
  report.layers.reserve(plans.size());
  for (std::size_t i = 0; i < plans.size(); ++i) {
    LayerReport& layer = report.layers.emplace_back();
    layer.plan = std::move(plans[i]);
    layer.timeline = timeline.layers[i];
    layer.counters = std::move(counters[i]);
    const double work = work_of(layer.plan);
    layer.utilization = ratio(work, static_cast<double>(layer.timeline.cycles) * peak);
    layer.array_utilization = ratio(work, static_cast<double>(layer.timeline.array_cycles) * peak);

    total_work += work;
    totals.cycles += layer.timeline.cycles;
    totals.array_cycles += layer.timeline.array_cycles;
    totals.stream_cycles += layer.timeline.stream_cycles;
    totals.macs += layer.plan.macs;
    for (int unit = 0; unit < kUnitCount; ++unit) {
      for (int cause = 0; cause < kUnitCount; ++cause) {
        totals.stall[unit][cause] += layer.timeline.stall[unit][cause];
      }
    }
    totals.counters += layer.counters;
  }
  totals.utilization = ratio(total_work, static_cast<double>(totals.cycles) * peak);
  totals.array_utilization = ratio(total_work, static_cast<double>(totals.array_cycles) * peak);
  return report;
}

}  // namespace bitpulse
