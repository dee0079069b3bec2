// SPDX-License-Identifier: Apache-2.0

// Every JSON file that comes with the program is one the program can use.

#include "models/io/shipped.h"

#include "models/io/json.h"
#include "testbench/catch.h"
#include "testbench/sim/cli/program.h"

namespace bitpulse {
namespace {

/// A shipped machine that is meant for the widths of a workload.
std::string fitting_machine(const std::string& workload) {
  if (workload.find("w2a2") != std::string::npos) return "int2-32x32-ws";
  if (workload.find("w4a4") != std::string::npos) return "int4-32x32-ws";
  return "int8-32x32-ws";
}

}  // namespace

TEST_CASE("every shipped workload runs on a fitting shipped machine", "[cli][shipped]") {
  const auto workloads = shipped_names("");
  REQUIRE(workloads.size() >= 20);
  for (const std::string& workload : workloads) {
    const Outcome outcome =
        bitpulse({"run", workload, "--machine", fitting_machine(workload), "--engine", "fast"});
    CAPTURE(workload, outcome.err);
    CHECK(outcome.status == 0);
  }
}

TEST_CASE("networks that were trained on the figures recognize them, calibrated ones do not",
          "[cli][shipped][figures]") {
  const auto accuracy = [](const std::string& workload) {
    const Outcome outcome =
        bitpulse({"eval", "resnet8-figures-" + workload, "--images", "500", "--json"});
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    return parse_json(outcome.out, "evaluation");
  };
  for (const char* workload : {"w4a4-lsq", "w2a2-lsq", "w2a2"}) {
    CAPTURE(workload);
    const JsonValue found = accuracy(workload);
    const double real = found.at("float_top1").number(0.90, 0.97);
    const double integers = found.at("integer_top1").number(0, 1);
    if (workload == std::string("w2a2")) {
      CHECK(integers <= 0.5);
    } else {
      CHECK(integers >= real - 0.05);
    }
  }
}

TEST_CASE("every shipped machine runs a network", "[cli][shipped]") {
  const auto machines = shipped_names("machines");
  REQUIRE(machines.size() >= 7);
  for (const std::string& machine : machines) {
    const Outcome outcome =
        bitpulse({"run", "resnet18-w8a8", "--machine", machine, "--engine", "fast"});
    CAPTURE(machine, outcome.err);
    CHECK(outcome.status == 0);
  }
}

TEST_CASE("every shipped file validates, and holds no comment that other tools would refuse",
          "[cli][shipped]") {
  for (const char* kind : {"", "machines", "technologies", "dram", "sweeps"}) {
    for (const std::string& name : shipped_names(kind)) {
      const Outcome outcome = bitpulse({"validate", find_file(name, kind)});
      CAPTURE(name, outcome.err);
      CHECK(outcome.status == 0);
      CHECK(content_of(find_file(name, kind)).find(" // ") == std::string::npos);
    }
  }
}

}  // namespace bitpulse
