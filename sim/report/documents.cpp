// SPDX-License-Identifier: Apache-2.0

// report.json and the two CSV files. layers.csv is the flattened "layers" of the JSON document, so
// the names and numbers of both are one definition.

#include "sim/allocate/documents.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sim/report/effective.h"
#include "sim/report/report.h"

namespace bitpulse {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& document) {
  return document.dump(2, ' ', false, Json::error_handler_t::replace);
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json build_json(const BuildInfo& build) {
  return {{"version", build.version},
          {"commit", build.commit},
          {"compiler", build.compiler},
          {"systemc", text_or_null(build.systemc)},
          {"verilator", text_or_null(build.verilator)}};
}

/// A unit never waits for itself: its queue is in order.
Json stall_json(const StallMatrix& stall) {
  Json json = Json::object();
  for (std::size_t unit = 0; unit < kUnitCount; ++unit) {
    for (std::size_t cause = 0; cause < kUnitCount; ++cause) {
      if (unit == cause) continue;
      json[std::string(kUnitNames[unit]) + '.' + kUnitNames[cause]] = stall[unit][cause];
    }
  }
  return json;
}

template <class Tag>
Json components_json(const std::map<std::string, Quantity<Tag, double>>& components) {
  Json json = Json::object();
  Quantity<Tag, double> total;
  for (const auto& [component, amount] : components) {
    json[component] = amount.value;
    total += amount;
  }
  json["total"] = total.value;
  return json;
}

/// Engines that compute no values cannot know: null, not 0.
Json overflow_json(const Counters& counters, bool has_values) {
  if (!has_values) return {{"intermediate", nullptr}, {"final", nullptr}, {"saturations", nullptr}};
  return {{"intermediate", counters.overflow_intermediate},
          {"final", counters.overflow_final},
          {"saturations", counters.saturations}};
}

/// One number where all output channels agree, [[number, channels], ...] where widths differ.
template <class Value>
Json by_width(const LayerPlan& plan, Value value) {
  std::map<int, std::pair<std::int64_t, std::int64_t>> widths;  // bits: value, channels
  for (const WidthGroup& group : plan.width_groups) {
    auto& [number, channels] = widths[group.weight_bits];
    number = value(group);
    channels += group.channel_count();
  }
  if (widths.empty()) return 0;
  if (widths.size() == 1) return widths.begin()->second.first;
  Json runs = Json::array();
  for (const auto& [bits, run] : widths) runs.push_back({run.first, run.second});
  return runs;
}

Json layer_json(const LayerReport& layer, bool has_values) {
  const LayerPlan& plan = layer.plan;
  return {{"name", plan.name},
          {"kind", plan.kind},
          {"m", plan.m},
          {"k", plan.k},
          {"k_packed", by_width(plan, [](const WidthGroup& g) { return g.k_packed; })},
          {"n", plan.n},
          {"groups", plan.groups},
          {"act_bits", plan.act_bits},
          {"weight_bits",
           by_width(plan, [](const WidthGroup& g) { return std::int64_t{g.weight_bits}; })},
          {"macs", plan.macs},
          {"folds", plan.folds},
          {"cycles", layer.timeline.cycles},
          {"array_cycles", layer.timeline.array_cycles},
          {"stream_cycles", layer.timeline.stream_cycles},
          {"serial_array_cycles", plan.serial_array_cycles},
          {"scalesim_m", plan.scalesim_m},
          {"scalesim_cycles", plan.scalesim_cycles},
          {"utilization", layer.utilization},
          {"array_utilization", layer.array_utilization},
          {"stall_cycles", stall_json(layer.timeline.stall)},
          {"dram_read_bytes", layer.counters.dram_read_bytes},
          {"dram_write_bytes", layer.counters.dram_write_bytes},
          {"energy_pj", components_json(layer.energy)},
          {"overflow", overflow_json(layer.counters, has_values)},
          {"tiling", plan.tiling},
          {"kept_on_chip", plan.kept_on_chip}};
}

Json totals_json(const Totals& totals, bool has_values) {
  return {{"cycles", totals.cycles},
          {"macs", totals.macs},
          {"utilization", totals.utilization},
          {"array_utilization", totals.array_utilization},
          {"array_cycles", totals.array_cycles},
          {"stream_cycles", totals.stream_cycles},
          {"time_ms", totals.time_ms},
          {"gops", totals.gops},
          {"stall_cycles", stall_json(totals.stall)},
          {"dram_read_bytes", totals.counters.dram_read_bytes},
          {"dram_write_bytes", totals.counters.dram_write_bytes},
          {"dram_peak_bytes_per_cycle", totals.dram_peak_bytes_per_cycle},
          {"energy_pj", components_json(totals.energy)},
          {"area_um2", components_json(totals.area)},
          {"overflow", overflow_json(totals.counters, has_values)}};
}

Json accuracy_json(const AccuracyReport& accuracy) {
  const Accuracy& counts = accuracy.counts;
  const auto share = [&](std::int64_t hits) {
    return static_cast<double>(hits) /
           static_cast<double>(std::max<std::int64_t>(1, counts.images));
  };
  return {{"dataset", accuracy.dataset},
          {"images", counts.images},
          {"float_top1", share(counts.float_top1)},
          {"fake_quant_top1", share(counts.fake_quant_top1)},
          {"integer_top1", share(counts.integer_top1)},
          {"differing_elements", counts.differing_elements},
          {"compared_elements", counts.compared_elements},
          {"top1_agreement", share(counts.agreement)},
          {"overflow",
           {{"intermediate", counts.overflow.intermediate},
            {"final", counts.overflow.final_sum},
            {"saturations", counts.overflow.saturations}}},
          {"integer_engine", accuracy.integer_engine}};
}

Json inputs_json(const std::vector<HashedFile>& inputs) {
  Json json = Json::array();
  for (const HashedFile& input : inputs) {
    json.push_back({{"path", input.path}, {"sha256", input.sha256}});
  }
  return json;
}

/// Quotes what CSV needs quoted, and keeps spreadsheets from reading a name as a formula.
std::string csv_text(std::string text) {
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) {
    text.insert(text.begin(), '\'');
  }
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_cell(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return csv_text(value.get_ref<const std::string&>());
  const std::string text = value.dump();
  return value.is_array() ? csv_text(text) : text;
}

/// What only an engine that computes values can count.
bool needs_values(const CounterInfo& info) {
  return info.member == &Counters::overflow_intermediate ||
         info.member == &Counters::overflow_final || info.member == &Counters::saturations;
}

/// (name, cell) pairs; the members of an object are named "object.member".
std::vector<std::pair<std::string, std::string>> flatten(const Json& row) {
  std::vector<std::pair<std::string, std::string>> cells;
  for (const auto& [name, value] : row.items()) {
    if (!value.is_object()) {
      cells.emplace_back(name, csv_cell(value));
      continue;
    }
    for (const auto& [member, number] : value.items()) {
      cells.emplace_back(std::string(name).append(".").append(member), csv_cell(number));
    }
  }
  return cells;
}

}  // namespace

std::string to_json(const BuildInfo& build) { return dump(build_json(build)); }

std::string report_json(const Report& report) {
  Json layers = Json::array();
  for (const LayerReport& layer : report.layers) {
    layers.push_back(layer_json(layer, report.has_values));
  }
  Json document = {
      {"schema", "bitpulse/report/1"},
      {"bitpulse", build_json(report.build)},
      {"command", report.command},
      {"seed", report.workload.seed},
      {"inputs", inputs_json(report.inputs)},
      {"effective",
       {{"workload", effective_workload(report)}, {"machine", effective_machine(report)}}},
      {"engine", report.engine},
      {"dataflow", to_string(report.machine.array.dataflow)},
      {"totals", totals_json(report.totals, report.has_values)},
      {"layers", std::move(layers)}};
  if (report.accuracy) document["accuracy"] = accuracy_json(*report.accuracy);
  if (report.allocation) document["allocation"] = allocation_json(*report.allocation);
  document["technology"] = {{"file", report.technology.file},
                            {"node", report.technology.node},
                            {"sources", report.technology.sources},
                            {"extrapolated", report.technology.extrapolated}};
  document["environment"] = {{"host", report.environment.host},
                             {"time", report.environment.time},
                             {"threads", report.environment.threads},
                             {"wall_s", report.environment.wall_s},
                             {"peak_rss_bytes", report.environment.peak_rss_bytes}};
  return dump(document) + '\n';
}

std::string layers_csv(const Report& report) {
  std::ostringstream header, rows;
  for (const LayerReport& layer : report.layers) {
    const bool is_first = &layer == &report.layers.front();
    const char* separator = "";
    for (const auto& [name, cell] : flatten(layer_json(layer, report.has_values))) {
      if (is_first) header << separator << name;
      rows << separator << cell;
      separator = ",";
    }
    rows << '\n';
  }
  return header.str() + '\n' + rows.str();
}

std::string actions_csv(const Report& report) {
  std::ostringstream out;
  out << "layer,component,action,count\n";
  for (const LayerReport& layer : report.layers) {
    const std::string name = csv_text(layer.plan.name);
    for (const CounterInfo& info : kCounterTable) {
      if (!report.has_values && needs_values(info)) continue;
      out << name << ',' << info.component << ',' << info.name << ',' << layer.counters.*info.member
          << '\n';
    }
    for (const auto& [bits, macs] : layer.counters.macs) {
      out << name << ",array,macs_" << bits.first << 'x' << bits.second << ',' << macs << '\n';
    }
  }
  return out.str();
}

}  // namespace bitpulse
