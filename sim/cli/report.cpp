// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <iostream>
#include <optional>

#include "models/error.h"
#include "models/io/files.h"
#include "sim/cli/command.h"
#include "sim/report/page.h"

namespace bitpulse {
namespace {

/// The timeline that `run --timeline` wrote beside the report, if it did.
std::optional<JsonValue> timeline_beside(const std::string& report) {
  const auto path = std::filesystem::path(report).replace_filename("timeline.json");
  std::error_code failure;
  if (!std::filesystem::exists(path, failure)) return std::nullopt;
  return load_json(path.string());
}

int report(const Arguments& arguments) {
  const std::string& input = arguments.positional().front();
  if (!arguments.has("html")) throw Error(ErrorKind::kUsage, "report: --html FILE is missing");
  const std::string output = arguments.text("html");
  std::optional<JsonValue> eval;
  if (arguments.has("eval")) eval = load_json(arguments.text("eval"));
  write_file_atomically(output, run_page(load_json(input), timeline_beside(input), eval));
  std::cout << "page        " << output << '\n';
  return 0;
}

}  // namespace

Subcommand report_command() {
  return {"report",
          "REPORT.json --html FILE [--eval FILE]",
          "Makes one HTML page, complete in itself, of a run.",
          1,
          1,
          {{"html", "FILE", "the page to write"},
           {"eval", "FILE", "output of eval --compare-layers --json: adds each layer's SQNR"}},
          {"bitpulse report out/resnet20/report.json --html resnet20.html",
           "bitpulse report out/report.json --eval eval.json --html page.html"},
          report};
}

}  // namespace bitpulse
