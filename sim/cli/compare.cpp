// SPDX-License-Identifier: Apache-2.0
#include "sim/report/compare.h"

#include <iostream>

#include "models/io/files.h"
#include "sim/cli/command.h"

namespace bitpulse {
namespace {

int compare(const Arguments& arguments) {
  const std::vector<std::string>& names = arguments.positional();
  const std::string text = compare_markdown(load_json(names[0]), load_json(names[1]));
  if (!arguments.has("out")) {
    std::cout << text;
  } else {
    write_file_atomically(arguments.text("out"), text);
  }
  return 0;
}

}  // namespace

Subcommand compare_command() {
  return {"compare",
          "A/report.json B/report.json [--out FILE]",
          "Prints what differs between two reports, as Markdown.",
          2,
          2,
          {{"out", "FILE", "write it there instead of printing it"}},
          {"bitpulse compare out/a/report.json out/b/report.json",
           "bitpulse compare out/a/report.json out/b/report.json --out difference.md"},
          compare};
}

}  // namespace bitpulse
