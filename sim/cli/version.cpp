// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "sim/cli/command.h"
#include "sim/report/report.h"

namespace bitpulse {
namespace {

int version(const Arguments& arguments) {
  const BuildInfo build = build_info();
  if (arguments.has("json")) {
    std::cout << to_json(build) << '\n';
    return 0;
  }
  const auto line = [](const char* name, const std::string& value) {
    std::cout << name << (value.empty() ? "not built in" : value) << '\n';
  };
  line("bitpulse   ", build.version);
  line("commit     ", build.commit);
  line("compiler   ", build.compiler);
  line("systemc    ", build.systemc);
  line("verilator  ", build.verilator);
  return 0;
}

}  // namespace

Subcommand version_command() {
  return {"version",
          "[--json]",
          "Prints the versions of the program and of what it is built with.",
          0,
          0,
          {{"json", nullptr, "print one JSON document"}},
          {"bitpulse version", "bitpulse version --json"},
          version};
}

}  // namespace bitpulse
