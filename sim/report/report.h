// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a run has shown, ready to be written: report.json, layers.csv, actions.csv and the table on
// the terminal say the same numbers because they are all written from this value. Names and
// definitions are those of sim/README.md, section 9.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/io/json.h"
#include "models/units.h"
#include "models/workload.h"
#include "quant/evaluate.h"
#include "sim/allocate/allocate.h"
#include "sim/engine.h"
#include "sim/program.h"
#include "sim/report/build_info.h"
#include "sim/report/environment.h"
#include "sim/timeline.h"

namespace bitpulse {

struct Technology;  // sim/energy/technology.h

struct HashedFile {
  std::string path;
  std::string sha256;
};

struct AccuracyReport {
  std::string dataset;
  std::string integer_engine;  // what computed the integers
  Accuracy counts;
};

struct LayerReport {
  LayerPlan plan;
  LayerTimeline timeline;
  Counters counters;
  double utilization = 0, array_utilization = 0;
  std::map<std::string, Picojoules> energy;  // by component
};

struct Totals {
  std::uint64_t cycles = 0, array_cycles = 0, stream_cycles = 0;
  std::int64_t macs = 0;
  double utilization = 0, array_utilization = 0;
  double time_ms = 0, gops = 0;
  double dram_peak_bytes_per_cycle = 0;  // per cycle of the array's clock
  StallMatrix stall{};
  Counters counters;
  std::map<std::string, Picojoules> energy;
  std::map<std::string, SquareMicrons> area;
};

struct TechnologyReport {
  std::string file, node;
  std::vector<std::string> sources;
  std::vector<std::string> extrapolated;
};

struct Report {
  BuildInfo build;
  std::string command;
  std::vector<HashedFile> inputs;
  std::optional<JsonValue> workload_document, machine_document;  // overrides applied
  Workload workload;
  Machine machine;
  std::string engine;
  bool has_values = false;  // overflow counts exist
  Totals totals;
  std::vector<LayerReport> layers;
  std::optional<AccuracyReport> accuracy;
  std::optional<Allocation> allocation;  // why each layer has its bits, where they were chosen
  TechnologyReport technology;
  Environment environment;
};

/// The part of a report that follows from a run whatever it costs: layers, and totals but for what
/// follows from clock and technology.
///
/// counters   what the engine has counted, by layer as `plans`
Report make_report(const Machine& machine, std::vector<LayerPlan> plans,
                   std::vector<Counters> counters, const Timeline& timeline);

/// All totals of such a report, for a machine on which the run would have been the same.
Totals priced_totals(const Report& run, const Machine& machine, const Technology& technology);

/// The same, and the report's machine, technology and energies of layers; what was there of these
/// is replaced.
void price_report(Report& report, const Machine& machine, const Technology& technology);

/// The complete document, indented, ending in a newline. Everything outside "environment" has the
/// same bytes in every run with the same inputs.
std::string report_json(const Report& report);

/// One row per layer; columns are the names of report.json's layers, nested ones joined by dots.
std::string layers_csv(const Report& report);

/// layer, component, action, count: what outside tools need to price a run.
std::string actions_csv(const Report& report);

/// For people: at most 80 columns, with a line on what each column means.
std::string terminal_table(const Report& report);

/// Writes report.json, layers.csv and actions.csv into `folder`, which is made if need be.
///
/// errors  kIo
void write_report(const Report& report, const std::string& folder);

}  // namespace bitpulse
