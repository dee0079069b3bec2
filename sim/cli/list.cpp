// SPDX-License-Identifier: Apache-2.0
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "models/error.h"
#include "models/io/json.h"
#include "models/io/shipped.h"
#include "models/nets/nets.h"
#include "models/text.h"
#include "sim/cli/command.h"
#include "sim/cli/limits.h"

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

/// Shipped files, described by their own "name" where they have one.
std::vector<Entry> file_entries(std::string_view kind) {
  std::vector<Entry> entries;
  for (const std::string& name : shipped_names(kind)) {
    const auto own_name = load_json(find_file(name, kind)).find("name");
    entries.push_back({name, own_name ? own_name->text() : ""});
  }
  return entries;
}

std::vector<Entry> entries_of(const std::string& what) {
  if (what == "networks") return network_entries();
  if (what == "machines") return file_entries("machines");
  if (what == "technologies") return file_entries("technologies");
  if (what == "workloads") return file_entries("");
  const std::vector<std::string_view> known{"networks", "machines", "technologies", "workloads"};
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
          "networks|machines|technologies|workloads [--json]",
          "Lists what may be named without a path.",
          1,
          1,
          {kJsonOption},
          {"bitpulse list machines", "bitpulse list networks --json"},
          list};
}

}  // namespace bitpulse
