// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <iostream>
#include <optional>
#include <string_view>

#include "models/error.h"
#include "models/io/files.h"
#include "sim/cli/command.h"
#include "sim/report/page.h"
#include "sim/sweep/documents.h"
#include "sim/sweep/store.h"

namespace bitpulse {
namespace {

/// The timeline that `run --timeline` wrote beside the report, if it did.
std::optional<JsonValue> timeline_beside(const std::string& report) {
  const auto path = std::filesystem::path(report).replace_filename("timeline.json");
  std::error_code failure;
  if (!std::filesystem::exists(path, failure)) return std::nullopt;
  return load_json(path.string());
}

constexpr std::string_view kDatabaseBegin = "SQLite format 3";

bool is_database(const std::string& path) {
  const InputFile file(path);
  if (file.size() < kDatabaseBegin.size()) return false;
  std::string begin(kDatabaseBegin.size(), '\0');
  file.read(0, begin.data(), begin.size());
  return begin == kDatabaseBegin;
}

std::string page_of(const std::string& input, const Arguments& arguments) {
  if (is_database(input)) {
    const SweepStore store(input, SweepStore::Mode::kRead);
    return sweep_page(parse_json(points_json(store), input));
  }
  const JsonValue document = load_json(input);
  const std::optional<JsonValue> schema = document.find("schema");
  if (schema && schema->is_string() && schema->text() == "bitpulse/sweep-points/1") {
    return sweep_page(document);
  }
  std::optional<JsonValue> eval;
  if (arguments.has("eval")) eval = load_json(arguments.text("eval"));
  return run_page(document, timeline_beside(input), eval);
}

int report(const Arguments& arguments) {
  const std::string& input = arguments.positional().front();
  if (!arguments.has("html")) throw Error(ErrorKind::kUsage, "report: --html FILE is missing");
  const std::string output = arguments.text("html");
  write_file_atomically(output, page_of(input, arguments));
  std::cout << "page        " << output << '\n';
  return 0;
}

}  // namespace

Subcommand report_command() {
  return {"report",
          "REPORT.json|SWEEP.db --html FILE [--eval FILE]",
          "Makes one HTML page, complete in itself, of a run or a sweep.",
          1,
          1,
          {{"html", "FILE", "the page to write"},
           {"eval", "FILE", "output of eval --compare-layers --json: adds each layer's SQNR"}},
          {"bitpulse report out/resnet20/report.json --html resnet20.html",
           "bitpulse report resnet18-arrays.db --html arrays.html"},
          report};
}

}  // namespace bitpulse
