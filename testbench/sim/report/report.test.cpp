// SPDX-License-Identifier: Apache-2.0
#include "sim/report/report.h"

#include <algorithm>
#include <sstream>

#include "models/error.h"
#include "testbench/catch.h"
#include "testbench/sim/report/samples.h"

namespace bitpulse {
namespace {

JsonValue written(const Report& report) { return parse_json(report_json(report), "report.json"); }

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

}  // namespace

TEST_CASE("a report keeps integers as integers and lists its keys in the documented order",
          "[report][json]") {
  const JsonValue root = written(sample_report());
  CHECK(root.keys() == std::vector<std::string>{"schema", "bitpulse", "command", "seed", "inputs",
                                                "effective", "engine", "dataflow", "totals",
                                                "layers", "technology", "environment"});
  const JsonValue layer = root.at("layers")[0];
  CHECK(layer.at("m").integer(0, 1000) == 49);
  CHECK(layer.at("macs").integer(0, 1 << 30) == 49 * 18 * 8);
  CHECK(layer.at("cycles").is_integer());
  CHECK(layer.at("utilization").is_number());
  CHECK(layer.at("stall_cycles").at("array.dma").integer(0, 1000) == 7);
  CHECK(layer.at("stall_cycles").keys() == std::vector<std::string>{"dma.array", "dma.vector",
                                                                    "array.dma", "array.vector",
                                                                    "vector.dma", "vector.array"});
}

TEST_CASE("mixed widths are runs and one width is a number", "[report][json]") {
  const JsonValue layers = written(sample_report()).at("layers");
  CHECK(layers[0].at("weight_bits").integer(0, 16) == 4);
  CHECK(layers[0].at("k_packed").integer(0, 100) == 18);
  const JsonValue mixed = layers[1].at("weight_bits");
  REQUIRE(mixed.size() == 2);
  CHECK(mixed[0][0].integer(0, 16) == 2);
  CHECK(mixed[0][1].integer(0, 100) == 3);
  CHECK(mixed[1][0].integer(0, 16) == 4);
  CHECK(mixed[1][1].integer(0, 100) == 5);
  CHECK(layers[1].at("k_packed")[0][0].integer(0, 100) == 9);
  CHECK(layers[2].at("weight_bits").integer(0, 0) == 0);  // a pool
}

TEST_CASE("overflow is null where no values were computed, and a number elsewhere",
          "[report][json]") {
  Report report = sample_report();
  CHECK(report_json(report).find("\"intermediate\": null") != std::string::npos);
  CHECK(actions_csv(report).find("overflow") == std::string::npos);
  report.has_values = true;
  const JsonValue totals = written(report).at("totals");
  CHECK(totals.at("overflow").at("intermediate").integer(0, 100) == 3);
  CHECK(actions_csv(report).find("c1,accumulator,overflow_intermediate,3\n") != std::string::npos);
}

TEST_CASE("the effective documents fill in defaults and keep what was written", "[report][json]") {
  const JsonValue effective = written(sample_report()).at("effective");
  CHECK(effective.at("workload").at("batch").integer(0, 100) == 1);
  CHECK(effective.at("workload").at("quantization").at("weights").integer(0, 16) == 4);
  CHECK(effective.at("workload").at("quantization").at("rounding").text() == "half_up");
  CHECK(effective.at("machine").at("array").at("rows").integer(0, 100) == 4);
  CHECK(effective.at("machine").at("array").at("overflow").text() == "wrap");
}

TEST_CASE("layers.csv has the names and numbers of report.json, nested ones joined by dots",
          "[report][csv]") {
  const auto rows = lines(layers_csv(sample_report()));
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].find("name,kind,m,k,k_packed,n,groups,act_bits,weight_bits,macs,folds,cycles,") ==
        0);
  CHECK(rows[0].find(",stall_cycles.array.dma,") != std::string::npos);
  CHECK(rows[0].find(",energy_pj.dram,energy_pj.total,overflow.intermediate,") !=
        std::string::npos);
  CHECK(rows[1].find("c1,conv2d,49,18,18,8,1,4,4,") == 0);
  CHECK(rows[2].find("\"[[9,3],[18,5]]\"") != std::string::npos);
  CHECK(rows[3].find("'=pool,max_pool,0,0,0,0,") == 0);  // no spreadsheet formula
}

TEST_CASE("actions.csv counts every action of every layer by component", "[report][csv]") {
  const std::string csv = actions_csv(sample_report());
  const auto rows = lines(csv);
  CHECK(rows[0] == "layer,component,action,count");
  CHECK(rows.size() == 1 + 3 * (kCounterTable.size() - 3) + 1);
  CHECK(csv.find("c1,dram,dram_read_bytes,100\n") != std::string::npos);
  CHECK(csv.find("c1,array,macs_4x4,7056\n") != std::string::npos);
}

TEST_CASE("the table on the terminal is at most 80 columns wide and warns of extrapolation",
          "[report][terminal]") {
  Report report = sample_report();
  report.layers[0].plan.name = std::string(300, 'n');
  report.workload.name = std::string(300, 'w');
  report.totals.energy = {};
  for (const char* component : {"accumulator", "act_buffer", "array", "clock", "dram", "leakage",
                                "out_buffer", "vector", "weight_buffer"}) {
    report.totals.energy[component] = Picojoules(1e9);
  }
  const std::string table = terminal_table(report);
  for (const std::string& line : lines(table)) {
    CAPTURE(line);
    CHECK(line.size() <= 80);
  }
  CHECK(table.find("total") != std::string::npos);
  CHECK(table.find("warning:  beyond its source: sram of 3 KiB") != std::string::npos);
  CHECK(table.find("technology.json") != std::string::npos);
}

TEST_CASE("the table cuts and pads names by characters, not by bytes", "[report][terminal]") {
  Report report = sample_report();
  const auto row_of = [&](const std::string& name) {
    report.layers[0].plan.name = name;
    for (const std::string& line : lines(terminal_table(report)))
      if (line.find("4/4") != std::string::npos) return line;
    return std::string();
  };
  std::string long_name, end;
  for (int i = 0; i < 40; ++i) long_name += "\u00e9";
  for (int i = 0; i < 14; ++i) end += "\u00e9";
  CHECK(row_of(long_name).find(".." + end + " 4/4") == 0);
  CHECK(row_of("\u00e9").find("4/4") == row_of("e").find("4/4") + 1);
}

TEST_CASE("no name moves the terminal's cursor", "[report][terminal]") {
  Report report = sample_report();
  report.workload.name = "\x1b[2J \xc2\x9b[2J";
  const std::string table = terminal_table(report);
  CHECK(table.find('\x1b') == std::string::npos);
  CHECK(table.find("\xc2\x9b") == std::string::npos);
}

TEST_CASE("names that are not UTF-8 do not stop a report", "[report][json]") {
  Report report = sample_report();
  report.layers[0].plan.name = "\xff\xfe";
  CHECK_NOTHROW(written(report));
}

}  // namespace bitpulse
