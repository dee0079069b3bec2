// SPDX-License-Identifier: Apache-2.0
// Every command that README.md shows can be pasted.
#include <filesystem>
#include <sstream>

#include "testbench/catch.h"
#include "testbench/sim/cli/program.h"

namespace bitpulse {
namespace {

/// Lines inside code fences.
std::vector<std::string> code_lines(const std::string& markdown) {
  std::vector<std::string> lines;
  bool inside = false;
  std::istringstream stream(markdown);
  for (std::string line; std::getline(stream, line);) {
    if (line.rfind("```", 0) == 0) {
      inside = !inside;
    } else if (inside) {
      lines.push_back(line);
    }
  }
  return lines;
}

}  // namespace

TEST_CASE("every command in README.md runs, and every script it names exists", "[cli][readme]") {
  const ScratchFolder folder;
  const std::string source = BITPULSE_SOURCE_DIR;
  int commands = 0, scripts = 0;
  for (std::string line : code_lines(content_of(source + "/README.md"))) {
    if (line.rfind("$ ", 0) == 0) line.erase(0, 2);
    if (line.rfind("./scripts/", 0) == 0) {
      CHECK(std::filesystem::exists(source + line.substr(1, line.find(' ') - 1)));
      ++scripts;
    }
    if (line.rfind("bitpulse ", 0) != 0) continue;
    const Outcome outcome =
        shell("cd " + folder.path(".") + " && \"$bitpulse\" " + line.substr(line.find(' ')));
    CAPTURE(line, outcome.err);
    CHECK(outcome.status == 0);
    ++commands;
  }
  CHECK(commands >= 8);
  CHECK(scripts >= 2);
}

}  // namespace bitpulse
