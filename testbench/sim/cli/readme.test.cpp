// SPDX-License-Identifier: Apache-2.0
// Every command that README.md shows can be pasted, and prints what README.md says it prints.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <sstream>

#include "testbench/catch.h"
#include "testbench/sim/cli/program.h"

namespace bitpulse {
namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Lines inside code fences, each fence followed by an empty line.
Lines code_lines(const std::string& markdown) {
  Lines lines;
  bool inside = false;
  for (const std::string& line : lines_of(markdown)) {
    if (line.rfind("```", 0) == 0) {
      inside = !inside;
      if (!inside) lines.push_back("");
    } else if (inside) {
      lines.push_back(line);
    }
  }
  return lines;
}

/// A command with the output that is shown under it, up to the next command.
struct Example {
  std::string command;
  Lines output;
};

/// The lines that begin with "bitpulse", or with "$ bitpulse" and output under them.
std::vector<Example> examples(const std::string& markdown) {
  std::vector<Example> all;
  bool has_output = false;
  for (const std::string& line : code_lines(markdown)) {
    const bool prompt = line.rfind("$ ", 0) == 0;
    const std::string command = prompt ? line.substr(2) : line;
    if (command.rfind("bitpulse ", 0) == 0) {
      all.push_back({command, {}});
      has_output = prompt;
    } else if (has_output) {
      all.back().output.push_back(line);
    }
  }
  for (Example& example : all) {
    while (!example.output.empty() && example.output.back().empty()) example.output.pop_back();
  }
  return all;
}

/// A line as it is on every machine: files of the source tree by their path in it, and neither
/// counts of overflows nor the accuracy in float, which depend on the last bits of float kernels
/// that the processor chooses.
std::string comparable(std::string line) {
  constexpr std::string_view kSource = BITPULSE_SOURCE_DIR "/";
  const std::size_t path = line.find(kSource);
  if (path != std::string::npos) line.erase(path, kSource.size());
  if (line.rfind("top-1       float", 0) == 0) line.erase(0, line.find(','));
  if (line.rfind("overflow", 0) != 0) return line;
  line.erase(std::remove_if(line.begin(), line.end(),
                            [](unsigned char c) { return std::isdigit(c) || c == ','; }),
             line.end());
  return line;
}

/// The first shown line that `printed` lacks, in order; a line "..." stands for any number of
/// lines, between others none may be missing. "" where all is there.
std::string first_missing(const Lines& shown, const Lines& printed) {
  std::size_t at = 0;
  bool gap = false;
  for (const std::string& line : shown) {
    if (line == "...") {
      gap = true;
      continue;
    }
    while (gap && at < printed.size() && comparable(printed[at]) != comparable(line)) ++at;
    if (at == printed.size() || comparable(printed[at]) != comparable(line)) return line;
    ++at;
    gap = false;
  }
  return gap || at == printed.size() ? "" : "(end of the output)";
}

}  // namespace

TEST_CASE("a line that is missing, added or changed is noticed", "[cli][readme]") {
  const Lines printed{"a", "b", "c", "d"};
  CHECK(first_missing({"a", "...", "d"}, printed).empty());
  CHECK(first_missing({"a", "b", "..."}, printed).empty());
  CHECK(first_missing({"a", "c", "..."}, printed) == "c");
  CHECK(first_missing({"a", "...", "e"}, printed) == "e");
  CHECK(first_missing({"a", "b", "c"}, printed) == "(end of the output)");
  CHECK(first_missing({"a", "...", "c", "b", "d"}, printed) == "b");
}

TEST_CASE("every command in README.md runs and prints what is shown under it", "[cli][readme]") {
  const ScratchFolder folder;
  int with_output = 0;
  const std::vector<Example> all = examples(content_of(BITPULSE_SOURCE_DIR "/README.md"));
  CHECK(all.size() >= 8);
  for (const Example& example : all) {
    const Outcome outcome = shell("cd " + folder.path(".") + " && \"$bitpulse\"" +
                                  example.command.substr(example.command.find(' ')));
    CAPTURE(example.command, outcome.out, outcome.err);
    CHECK(outcome.status == 0);
    if (example.output.empty()) continue;
    CHECK(first_missing(example.output, lines_of(outcome.out)).empty());
    ++with_output;
  }
  CHECK(with_output >= 1);
}

TEST_CASE("every script that README.md names exists", "[cli][readme]") {
  const std::string source = BITPULSE_SOURCE_DIR;
  int scripts = 0;
  for (const std::string& line : code_lines(content_of(source + "/README.md"))) {
    if (line.rfind("./scripts/", 0) != 0) continue;
    CHECK(std::filesystem::exists(source + line.substr(1, line.find(' ') - 1)));
    ++scripts;
  }
  CHECK(scripts >= 2);
}

}  // namespace bitpulse
