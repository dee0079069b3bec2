// SPDX-License-Identifier: Apache-2.0

// The command line itself: help, hints, exit statuses, streams.

#include <filesystem>
#include <sstream>

#include "models/io/json.h"
#include "testbench/catch.h"
#include "testbench/sim/cli/program.h"

namespace bitpulse {
namespace {

const std::vector<std::string> kCommands{"run",   "quantize", "eval",     "cosim",   "list",
                                         "sweep", "rtl",      "validate", "version", "sensitivity"};

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

}  // namespace

TEST_CASE("help fits 80 columns, ends with two examples and exits 0", "[cli][usage]") {
  for (const std::string& command : kCommands) {
    const Outcome outcome = bitpulse({command, "--help"});
    CAPTURE(command, outcome.out);
    CHECK(outcome.status == 0);
    CHECK(outcome.err.empty());
    const auto text = lines(outcome.out);
    REQUIRE(text.size() > 3);
    for (const std::string& line : text) CHECK(line.size() <= 80);
    CHECK(text[text.size() - 3] == "examples:");
    CHECK(text[text.size() - 2].find("  bitpulse " + command) == 0);
    CHECK(text[text.size() - 1].find("  bitpulse " + command) == 0);
  }
  const Outcome outcome = bitpulse({"--help"});
  CHECK(outcome.status == 0);
  for (const std::string& line : lines(outcome.out)) CHECK(line.size() <= 80);
  for (const std::string& command : kCommands) {
    CHECK(outcome.out.find("\n  " + command + " ") != std::string::npos);
  }
}

TEST_CASE("wrong command lines exit 2 with a hint and print nothing on standard output",
          "[cli][usage]") {
  const auto refused = [](const std::vector<std::string>& words, const std::string& hint) {
    const Outcome outcome = bitpulse(words);
    CAPTURE(outcome.err, hint);
    CHECK(outcome.status == 2);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find(hint) != std::string::npos);
  };
  refused({}, "--help");
  refused({"rnu"}, "'run'");
  refused({"simulate"}, "unknown command");
  refused({"run", "resnet18-w8a8", "--machin", "x"}, "'machine'");
  refused({"run", "resnet18-w8a8", "--eng=fast"}, "unknown option");  // prefixes never match
  refused({"run", "resnet18-w8a8"}, "--machine");
  refused({"run", "--machine", "int8-32x32-ws"}, "WORKLOAD");
  refused({"run", "a", "b", "--machine", "int8-32x32-ws"}, "2 arguments");
  refused({"run", "resnet18-w8a8", "--machine"}, "machine");
  const std::vector<std::string> run{"run", "resnet18-w8a8", "--machine", "int8-32x32-ws"};
  const auto with = [&](std::vector<std::string> more) {
    std::vector<std::string> words = run;
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  refused(with({"--engine", "turbo"}), "no engine");
  for (const char* engine : {"systemc", "rtl"}) {
    if (bitpulse(with({"--engine", "turbo"})).err.find(engine) != std::string::npos) continue;
    refused(with({"--engine", engine}), "not built");
  }
  refused(with({"--engine", "fast", "--check"}), "no values");
  refused(with({"--engine", "fast", "--layers", "3:1"}), "FIRST:LAST");
  refused(with({"--engine", "fast", "--layers", "0:1000"}), "FIRST:LAST");
  refused(with({"--engine", "fast", "--layers", "1"}), "FIRST:LAST");
  refused(with({"--threads", "-1"}), "--threads");
  refused(with({"--threads", "two"}), "--threads");
  refused(with({"--images", "0"}), "--images");
  for (const char* option : {"--out", "--engine", "--set"}) {
    refused(with({option, ""}), std::string(option) + ": found nothing");
    refused(with({std::string(option) + "="}), option);
  }
  refused(with({"--set", "array/rows=4"}), "--set");
  refused(with({"--set", "/array/rows"}), "--set");
  refused(with({"--set", "/name=x"}), "workload:/name");
  refused(with({"--set", "/aray/rows=4"}), "did you mean 'array'");
  refused({"list", "network"}, "'networks'");
}

TEST_CASE("options may stand before or after the workload", "[cli][usage]") {
  const ScratchFolder folder;
  const std::string workload = folder.file("w.json", small_workload());
  const std::string machine = folder.file("m.json", small_machine());
  const Outcome after = bitpulse({"run", workload, "--machine", machine, "--engine=fast"});
  const Outcome before = bitpulse({"run", "--engine", "fast", "--machine", machine, workload});
  CHECK(after.status == 0);
  CHECK(after.out == before.out);
}

TEST_CASE("option --json prints exactly one JSON document", "[cli][usage]") {
  const ScratchFolder folder;
  const std::string workload = folder.file("w.json", small_workload());
  const std::string machine = folder.file("m.json", small_machine());
  for (const char* engine : {"fast", "systemc"}) {
    const Outcome outcome =
        bitpulse({"run", workload, "--machine", machine, "--engine", engine, "--json"});
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(parse_json(outcome.out, "stdout").at("engine").text() == engine);
    CHECK(outcome.err.empty());
  }
  CHECK(parse_json(bitpulse({"version", "--json"}).out, "stdout").has("commit"));
  CHECK(parse_json(bitpulse({"list", "networks", "--json"}).out, "stdout").size() > 10);
}

TEST_CASE("list names what the shipped folders hold", "[cli][usage]") {
  CHECK(bitpulse({"list", "networks"}).out.find("resnet18 ") != std::string::npos);
  CHECK(bitpulse({"list", "machines"}).out.find("int8-32x32-ws") != std::string::npos);
  CHECK(bitpulse({"list", "methods"}).out.find("ptq") != std::string::npos);
  CHECK(bitpulse({"list", "technologies"}).out.find("45nm-bitfusion") != std::string::npos);
  CHECK(bitpulse({"list", "workloads"}).out.find("resnet18-w8a8") != std::string::npos);
}

TEST_CASE("output that cannot be written exits 5 and leaves no file", "[cli][usage]") {
  const ScratchFolder folder;
  const std::string run = "\"$bitpulse\" run " + folder.file("w.json", small_workload()) +
                          " --machine " + folder.file("m.json", small_machine()) + " --engine fast";
  CHECK(shell(run + " --json >/dev/full").status == 5);
  folder.file("occupied", "");
  const Outcome outcome = shell(run + " --out " + folder.path("occupied"));
  CHECK(outcome.status == 5);
  CHECK(outcome.err.find("occupied") != std::string::npos);
}

TEST_CASE("a run that needs more memory than it may exits 4", "[cli][usage]") {
#if defined(__SANITIZE_ADDRESS__)
  return;  // the sanitizer's allocator ends the program in its own way
#endif
  const Outcome outcome =
      bitpulse({"run", "resnet50-w8a8", "--machine", "int8-32x32-ws", "--max-memory", "16"});
  CAPTURE(outcome.err);
  CHECK(outcome.status == 4);
  CHECK(outcome.out.empty());
}

TEST_CASE("SIGINT and SIGTERM end a run with 130 and 143, leaving no half-written file",
          "[cli][usage]") {
  const ScratchFolder folder;
  const std::string job = "\"$bitpulse\" run resnet50-w8a8 --machine int8-32x32-ws --out " +
                          folder.path("out") + " --set workload:/batch=32";
  CHECK(shell("timeout --preserve-status -s INT 0.5 " + job).status == 130);
  CHECK(shell("timeout --preserve-status -s TERM 0.5 " + job).status == 143);
  CHECK(!std::filesystem::exists(folder.path("out")));
}

}  // namespace bitpulse
