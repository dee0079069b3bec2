// SPDX-License-Identifier: Apache-2.0

// What a wrong file or value meets: one clear message, the documented exit status, no half-written
// output.

#include <sys/stat.h>

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

TEST_CASE("a machine that a network cannot run on is named with file and place",
          "[cli][bad-input]") {
  const auto refusal = [](const char* pointer, const char* value) {
    const ScratchFolder folder;
    const Outcome outcome = bitpulse({"run", folder.file("w.json", small_workload()), "--machine",
                                      folder.file("m.json", small_machine()), "--engine", "fast",
                                      "--set", std::string("machine:") + pointer + "=" + value});
    CAPTURE(outcome.err);
    CHECK(outcome.status == 3);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find("m.json: at ") != std::string::npos);
    return outcome.err;
  };
  CHECK(refusal("/vector", R"({"lanes": 8, "rounding": "half_even"})").find("/vector/rounding") !=
        std::string::npos);
}

TEST_CASE("images asked for without data are said to be missing", "[cli][bad-input]") {
  const ScratchFolder folder;
  const std::string workload = folder.file("w.json", small_workload());
  const Outcome outcome =
      bitpulse({"run", workload, "--machine", folder.file("m.json", small_machine()), "--engine",
                "fast", "--images", "10"});
  CAPTURE(outcome.err);
  CHECK(outcome.status == 3);
  CHECK(outcome.err.find(workload + ": at /data: found no data set") != std::string::npos);
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

TEST_CASE("what is no file is called what it is, and a pipe is not waited for",
          "[cli][bad-input]") {
  const ScratchFolder folder;
  const std::string pipe = folder.path("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const auto check = [&](const std::vector<std::string>& words, const char* found) {
    const Outcome outcome = bitpulse(words);
    CAPTURE(outcome.err);
    CHECK(outcome.status == 3);
    CHECK(outcome.err.find(found) != std::string::npos);
  };
  check({"run", pipe, "--machine", "int8-32x32-ws"}, "pipe: found a pipe");
  check({"run", "resnet18-w8a8", "--machine", folder.path(".")}, "found a folder");
  check({"validate", pipe}, "pipe: found a pipe");
  check({"validate", "/dev/null"}, "/dev/null: found a device");
}

#ifndef __SANITIZE_ADDRESS__  // whose shadow memory alone is more, and ends the program its own way
TEST_CASE("less memory than the program itself needs is a limit, not a missing file",
          "[cli][bad-input]") {
  const Outcome outcome = bitpulse({"run", "resnet18-w8a8", "--machine", "int8-32x32-ws",
                                    "--engine", "fast", "--max-memory", "1"});
  CAPTURE(outcome.err);
  CHECK(outcome.status == 4);
  CHECK(outcome.err.find("memory") != std::string::npos);
}

TEST_CASE("wherever memory ends, for values, threads or oneDNN, it is enough or a limit",
          "[cli][bad-input]") {
  const ScratchFolder folder;
  const auto check = [](const std::string& workload, const std::string& machine, int mib) {
    const Outcome outcome = bitpulse({"run", workload, "--machine", machine, "--threads", "8",
                                      "--max-memory", std::to_string(mib)});
    CAPTURE(workload, mib, outcome.err);
    CHECK((outcome.status == 0 || outcome.status == 4));
  };
  const std::string workload = folder.file("w.json", small_workload());
  const std::string machine = folder.file("m.json", small_machine());
  for (int mib = 5; mib <= 65; mib += 5) check("two-layers-w8a8", "int8-32x32-ws", mib);
  for (int mib = 20; mib <= 120; mib += 4) check(workload, machine, mib);
}
#endif

TEST_CASE("validate follows what a file names, and says where it is named", "[cli][bad-input]") {
  const ScratchFolder folder;
  const auto check = [&](const std::string& text, const std::string& place) {
    const Outcome outcome = bitpulse({"validate", folder.file("a.json", text)});
    CAPTURE(outcome.err, place);
    CHECK(outcome.status == 3);
    CHECK(outcome.err.find("a.json: at " + place + ": ") != std::string::npos);
  };
  const auto workload = [](const std::string& more) {
    return replaced(small_workload(), "\"name\": \"small\"", "\"name\": \"small\", " + more);
  };
  const auto machine = [](const std::string& more) {
    return replaced(small_machine(), "\"clock_mhz\"", more + ", \"clock_mhz\"");
  };
  check(workload("\"weights\": \"none.safetensors\""), "/weights");
  check(workload("\"data\": {\"format\": \"images\", \"test\": \"none\"}"), "/data/test");
  check(replaced(small_workload(), "\"ptq\"", "\"ptq\", \"frozen_scales\": \"none\""),
        "/quantization/frozen_scales");
  check(replaced(small_workload(), "\"ptq\"", "\"ptq\", \"layers\": {\"x\": {\"weights\": 4}}"),
        "/quantization/layers/x");
  check(machine("\"technology\": \"none\""), "/technology");
  check(replaced(small_machine(),
                 "\"model\": \"fixed\", \"bytes_per_cycle\": 8, \"latency_cycles\": 20",
                 "\"model\": \"banked\", \"timing\": \"none\""),
        "/dram/timing");
}

TEST_CASE("a machine's technology and DRAM part may lie beside it, under any name",
          "[cli][bad-input]") {
  const ScratchFolder folder;
  const std::string shipped = std::string(BITPULSE_SOURCE_DIR) + "/workloads/";
  folder.file("own.json", content_of(shipped + "technologies/45nm-horowitz.json"));
  folder.file("part.json", content_of(shipped + "dram/ddr4-2400.json"));
  const std::string machine =
      folder.file("m.json", replaced(content_of(shipped + "machines/int8-32x32-ws-ddr4.json"),
                                     "\"timing\": \"ddr4-2400\"", "\"timing\": \"part.json\""));
  const Outcome outcome =
      bitpulse({"run", folder.file("w.json", small_workload()), "--machine", machine, "--set",
                "machine:/technology=own.json", "--engine", "fast", "--json"});
  CAPTURE(outcome.err);
  CHECK(outcome.status == 0);
  CHECK(outcome.out.find("/own.json\"") != std::string::npos);
  CHECK(outcome.out.find("/part.json\"") != std::string::npos);
}

TEST_CASE("a safetensors file that is cut short, of other tensors or missing is refused and named",
          "[cli][bad-input]") {
  const ScratchFolder folder;
  const std::string machine = folder.file("m.json", small_machine());
  const std::string workload = folder.file("w.json", small_workload());
  folder.file("short.safetensors", std::string("\x40\0\0\0\0\0\0\0{\"c1.weight\"", 20));
  folder.file("other.safetensors", std::string("\2\0\0\0\0\0\0\0{}", 10));
  for (const char* name : {"short.safetensors", "other.safetensors", "missing.safetensors"}) {
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
