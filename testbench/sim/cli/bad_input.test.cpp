// SPDX-License-Identifier: Apache-2.0

// What a wrong file or value meets: one clear message, the documented exit status, no half-written
// output.

#include <filesystem>

#include "testbench/catch.h"
#include "testbench/sim/cli/program.h"

namespace bitpulse {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// Runs the small machine on `workload` and checks that it is refused with `status`, naming
/// `place`.
void check_refused(const std::string& workload, int status, const std::string& place) {
  const ScratchFolder folder;
  const std::string out = folder.path("out");
  const Outcome outcome =
      bitpulse({"run", folder.file("w.json", workload), "--machine",
                folder.file("m.json", small_machine()), "--engine", "fast", "--out", out});
  CAPTURE(outcome.err, place);
  CHECK(outcome.status == status);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.find("w.json") != std::string::npos);
  CHECK(outcome.err.find(place) != std::string::npos);
  CHECK(outcome.err.size() < 1000);
  CHECK(!std::filesystem::exists(out));
}

}  // namespace

TEST_CASE("the small workload and machine of these tests are accepted", "[cli][bad-input]") {
  const ScratchFolder folder;
  CHECK(bitpulse({"run", folder.file("w.json", small_workload()), "--machine",
                  folder.file("m.json", small_machine()), "--engine", "fast"})
            .status == 0);
}

TEST_CASE("wrong values of a workload are refused by place with status 3", "[cli][bad-input]") {
  const auto with = [](const char* from, const char* to) {
    return replaced(small_workload(), from, to);
  };
  check_refused(with("\"name\": \"small\"", "\"naem\": \"small\""), 3, "naem");
  check_refused(with("\"name\": \"small\"", "\"name\": \"small\", \"name\": \"again\""), 3, "name");
  check_refused(with("\"out_channels\": 8", "\"out_channels\": -1"), 3,
                "/network/nodes/0/out_channels");
  check_refused(with("\"out_channels\": 8", "\"out_channels\": 0"), 3,
                "/network/nodes/0/out_channels");
  check_refused(with("\"out_channels\": 8", "\"out_channels\": 8.7"), 3,
                "/network/nodes/0/out_channels");
  check_refused(with("\"out_channels\": 8", "\"out_channels\": true"), 3,
                "/network/nodes/0/out_channels");
  check_refused(with("\"out_channels\": 8", "\"out_channels\": \"8\""), 3,
                "/network/nodes/0/out_channels");
  check_refused(with("\"out_channels\": 8", "\"out_channels\": 99999999999999999999"), 3,
                "/network/nodes/0/out_channels");
  check_refused(with("[3, 8, 8]", "[3, 16777216, 16777216]"), 3, "image");
  check_refused(with("\"kernel\": [3, 3]", "\"kernel\": [30, 3]"), 3, "c1");
  check_refused(with("\"weights\": 4", "\"weights\": 0"), 3, "/quantization/weights");
  check_refused(with("\"weights\": 4", "\"weights\": 17"), 3, "/quantization/weights");
  check_refused(with("\"ptq\"", "\"pqt\""), 3, "pqt");
  check_refused(with("[\"c2\", \"r1\"]", "[\"c2\", \"r9\"]"), 3, "r9");
  check_refused(with("bitpulse/workload/1", "bitpulse/machine/1"), 3, "/schema");
}

TEST_CASE("text that is no JSON is refused with line and column", "[cli][bad-input]") {
  check_refused("{\n  \"schema\": ,\n}", 3, "2");
  check_refused("", 3, "w.json");
  check_refused(std::string("{}\0{}", 5), 3, "NUL");
  check_refused(small_workload() + "x", 3, "w.json");
  check_refused("{\"schema\": \"\xff\"}", 3, "UTF-8");
}

TEST_CASE("hostile sizes are refused by a limit", "[cli][bad-input]") {
  check_refused(std::string(1'000'000, '['), 4, "nesting");
  check_refused("\"" + std::string(2 << 20, 'x') + "\"", 4, "string");
}

TEST_CASE("a missing file is named, with the names that exist", "[cli][bad-input]") {
  const Outcome workload = bitpulse({"run", "no-such", "--machine", "int8-32x32-ws"});
  CHECK(workload.status == 3);
  CHECK(workload.err.find("no-such") != std::string::npos);
  CHECK(workload.err.find("resnet18-w8a8") != std::string::npos);
  const Outcome machine = bitpulse({"run", "resnet18-w8a8", "--machine", "no-such"});
  CHECK(machine.status == 3);
  CHECK(machine.err.find("int8-32x32-ws") != std::string::npos);
  CHECK(bitpulse({"validate", "no-such.json"}).status == 3);
}

TEST_CASE("a safetensors file that is cut short or missing is refused with status 3",
          "[cli][bad-input]") {
  const ScratchFolder folder;
  const std::string machine = folder.file("m.json", small_machine());
  const std::string workload = folder.file("w.json", small_workload());
  folder.file("short.safetensors", std::string("\x40\0\0\0\0\0\0\0{\"c1.weight\"", 20));
  for (const char* name : {"short.safetensors", "missing.safetensors"}) {
    const Outcome outcome = bitpulse(
        {"run", workload, "--machine", machine, "--set", std::string("workload:/weights=") + name});
    CAPTURE(outcome.err);
    CHECK(outcome.status == 3);
    CHECK(outcome.err.find(name) != std::string::npos);
    CHECK(outcome.out.empty());
  }
}

TEST_CASE("validate reads every file it is given and reports the first failure's status",
          "[cli][bad-input]") {
  const ScratchFolder folder;
  const std::string good = folder.file("good.json", small_workload());
  const std::string bad = folder.file("bad.json", "{}");
  const std::string machine = folder.file("machine.json", small_machine());
  const Outcome outcome = bitpulse({"validate", bad, good, machine});
  CHECK(outcome.status == 3);
  CHECK(outcome.out.find("good.json: bitpulse/workload/1") != std::string::npos);
  CHECK(outcome.out.find("machine.json: bitpulse/machine/1") != std::string::npos);
  CHECK(outcome.err.find("bad.json") != std::string::npos);
}

}  // namespace bitpulse
