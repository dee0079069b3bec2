// SPDX-License-Identifier: Apache-2.0
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "models/error.h"
#include "models/io/json.h"
#include "models/io/shipped.h"
#include "models/nets/nets.h"
#include "models/text.h"
#include "sim/cli/command.h"
#include "sim/cli/deploy.h"
#include "sim/cli/limits.h"
#include "sim/machine_reader.h"

namespace bitpulse {
namespace {

struct Entry {
  std::string name;
  std::string summary;
};

std::vector<Entry> network_entries() {
  std::vector<Entry> entries;
  for (const NetworkInfo& network : networks()) entries.push_back({network.name, network.summary});
  return entries;
}

std::vector<Entry> method_entries() {
  std::vector<Entry> entries;
  for (const Method& method : methods()) entries.push_back({method.name, method.summary});
  return entries;
}

/// Shipped files, each described by what `summary` makes of it.
std::vector<Entry> file_entries(std::string_view kind, std::string (*summary)(const JsonValue&)) {
  std::vector<Entry> entries;
  for (const std::string& name : shipped_names(kind)) {
    entries.push_back({name, summary(load_json(find_file(name, kind)))});
  }
  return entries;
}

std::string machine_summary(const JsonValue& root) {
  const Machine machine = read_machine(root);
  std::ostringstream text;
  text << machine.array.rows << 'x' << machine.array.cols << ' ' << to_string(machine.array.pe)
       << ' ' << to_string(machine.array.dataflow) << ", " << machine.array.acc_bits
       << "-bit sums, " << machine.clock_mhz << " MHz";
  return text.str();
}

std::string technology_summary(const JsonValue& root) { return root.at("source").text(); }

std::string workload_summary(const JsonValue& root) { return root.at("name").text(); }

std::vector<Entry> entries_of(const std::string& what) {
  if (what == "networks") return network_entries();
  if (what == "machines") return file_entries("machines", machine_summary);
  if (what == "methods") return method_entries();
  if (what == "technologies") return file_entries("technologies", technology_summary);
  if (what == "workloads") return file_entries("", workload_summary);
  const std::vector<std::string_view> known{"networks", "machines", "methods", "technologies",
                                            "workloads"};
  throw Error(ErrorKind::kUsage, "list: found \"" + printable(what) + "\", expected " +
                                     join(known) + did_you_mean(what, known));
}

int list(const Arguments& arguments) {
  const std::vector<Entry> entries = entries_of(arguments.positional().front());
  if (arguments.has("json")) {
    auto document = nlohmann::ordered_json::array();
    for (const Entry& entry : entries) {
      document.push_back({{"name", entry.name}, {"summary", entry.summary}});
    }
    std::cout << document.dump(2) << '\n';
    return 0;
  }
  std::size_t width = 0;
  for (const Entry& entry : entries) width = std::max(width, entry.name.size());
  for (const Entry& entry : entries) {
    std::cout << std::left << std::setw(static_cast<int>(width)) << entry.name << "  "
              << entry.summary << '\n';
  }
  return 0;
}

}  // namespace

Subcommand list_command() {
  return {"list",
          "networks|machines|methods|technologies|workloads [--json]",
          "Lists what may be named without a path.",
          1,
          1,
          {kJsonOption},
          {"bitpulse list machines", "bitpulse list networks --json"},
          list};
}

}  // namespace bitpulse
