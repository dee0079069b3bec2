// SPDX-License-Identifier: Apache-2.0

// What `bitpulse run` reports: the same bytes at any thread count, overrides echoed, engines
// agreed.

#include <filesystem>

#include "models/io/json.h"
#include "testbench/catch.h"
#include "testbench/sim/cli/program.h"

namespace bitpulse {
namespace {

/// The report without its last member, "environment".
std::string comparable(const std::string& report) {
  return report.substr(0, report.find("\"environment\""));
}

struct SmallJob {
  ScratchFolder folder;
  std::string workload = folder.file("w.json", small_workload());
  std::string machine = folder.file("m.json", small_machine());

  JsonValue report(std::vector<std::string> options) const {
    options.insert(options.begin(), {"run", workload, "--machine", machine, "--json"});
    const Outcome outcome = bitpulse(options);
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    return parse_json(outcome.out, "report");
  }
};

std::int64_t cycles(const JsonValue& report) {
  return report.at("totals").at("cycles").integer(1, 1LL << 40);
}

}  // namespace

TEST_CASE("reports are byte-identical at any thread count", "[cli][run]") {
  const ScratchFolder folder;
  for (const char* threads : {"1", "3"}) {
    REQUIRE(bitpulse({"run", "resnet20-cifar-w4a4-mixed", "--machine", "int4-32x32-ws", "--threads",
                      threads, "--out", folder.path(threads)})
                .status == 0);
  }
  for (const char* name : {"/layers.csv", "/actions.csv"}) {
    const std::string once = content_of(folder.path("1") + name);
    CHECK(once == content_of(folder.path("3") + name));
    CHECK(once.size() > 1000);
  }
  const std::string once = comparable(content_of(folder.path("1") + "/report.json"));
  CHECK(once == comparable(content_of(folder.path("3") + "/report.json")));
  CHECK(once.size() > 10000);
}

TEST_CASE("fast and systemc report the same cycles, and --check finds the reference's integers",
          "[cli][run]") {
  const SmallJob job;
  const JsonValue fast = job.report({"--engine", "fast"});
  const JsonValue systemc = job.report({"--engine", "systemc", "--check"});
  CHECK(cycles(fast) == cycles(systemc));
  REQUIRE(fast.at("layers").size() == systemc.at("layers").size());
  for (std::size_t i = 0; i < fast.at("layers").size(); ++i) {
    const JsonValue a = fast.at("layers")[i];
    const JsonValue b = systemc.at("layers")[i];
    CHECK(a.at("cycles").integer(0, 1 << 30) == b.at("cycles").integer(0, 1 << 30));
    CHECK(a.at("energy_pj").at("total").number(0, 1e12) ==
          b.at("energy_pj").at("total").number(0, 1e12));
  }
}

TEST_CASE("SystemC gives the reference's integers on 100 CIFAR-10 images",
          "[cli][run][real-data]") {
  BITPULSE_REQUIRE_SHARED("data/models/resnet20_cifar10.safetensors");
  const std::string data = BITPULSE_SHARED_DIR "/data/";
  const Outcome outcome = bitpulse(
      {"run", "resnet20-cifar-w4a4-mixed", "--machine", "int4-32x32-ws", "--check", "--images",
       "100", "--json", "--set", "workload:/batch=100", "--set",
       "workload:/weights=" + data + "models/resnet20_cifar10.safetensors", "--set",
       "workload:/data={\"format\": \"cifar10\", \"test\": \"" + data +
           "cifar10/test_a_2k.bin\", \"train\": \"" + data +
           "cifar10/train_10k.bin\", \"mean\": [0.485, 0.456, 0.406], \"std\": [0.229, 0.224, "
           "0.225]}"});
  CAPTURE(outcome.err);
  REQUIRE(outcome.status == 0);
  const JsonValue report = parse_json(outcome.out, "report");
  CHECK(report.at("accuracy").at("images").integer(0, 1000) == 100);
  CHECK(report.at("accuracy").at("float_top1").number(0, 1) > 0.85);
  CHECK(report.at("inputs").size() == 6);  // workload, machine, technology, weights, test, train
}

TEST_CASE("layers sum to the totals", "[cli][run]") {
  const SmallJob job;
  const JsonValue report = job.report({"--engine", "fast"});
  const JsonValue layers = report.at("layers");
  for (const char* name :
       {"cycles", "array_cycles", "macs", "dram_read_bytes", "dram_write_bytes"}) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) sum += layers[i].at(name).integer(0, 1 << 30);
    CHECK(sum == report.at("totals").at(name).integer(0, 1 << 30));
  }
}

TEST_CASE("option --set changes the document that has the key and is echoed in the report",
          "[cli][run]") {
  const SmallJob job;
  const JsonValue report = job.report({"--engine", "fast", "--set", "/array/rows=16", "--set",
                                       "/quantization/weights=2", "--set", "workload:/name=other",
                                       "--set", "machine:/name=wide", "--set", "/batch=3"});
  const JsonValue effective = report.at("effective");
  CHECK(effective.at("machine").at("array").at("rows").integer(1, 1024) == 16);
  CHECK(effective.at("machine").at("name").text() == "wide");
  CHECK(effective.at("workload").at("quantization").at("weights").integer(1, 16) == 2);
  CHECK(effective.at("workload").at("name").text() == "other");
  CHECK(effective.at("workload").at("batch").integer(1, 100) == 3);
  CHECK(report.at("layers")[0].at("m").integer(0, 1000) == 3 * 64);
  CHECK(report.at("command").text().find("--set /batch=3") != std::string::npos);
}

TEST_CASE("option --layers reports those layers and checks their values", "[cli][run]") {
  const SmallJob job;
  const JsonValue whole = job.report({"--engine", "fast"});
  const JsonValue part = job.report({"--layers", "1:2", "--check"});
  REQUIRE(part.at("layers").size() == 2);
  CHECK(part.at("layers")[0].at("name").text() == whole.at("layers")[1].at("name").text());
  CHECK(cycles(part) < cycles(whole));
}

TEST_CASE("inputs are listed with the hashes of their bytes", "[cli][run]") {
  const SmallJob job;
  const JsonValue inputs = job.report({"--engine", "fast"}).at("inputs");
  REQUIRE(inputs.size() >= 3);
  CHECK(inputs[0].at("path").text() == job.workload);
  const std::string sum = shell("sha256sum < " + job.workload).out.substr(0, 64);
  CHECK(inputs[0].at("sha256").text() == sum);
}

TEST_CASE("a written report has its three files and says where it is", "[cli][run]") {
  const SmallJob job;
  const std::string out = job.folder.path("a/b");
  const Outcome outcome =
      bitpulse({"run", job.workload, "--machine", job.machine, "--engine", "fast", "--out", out});
  CHECK(outcome.status == 0);
  CHECK(outcome.out.find(out + "/report.json") != std::string::npos);
  for (const char* name : {"/report.json", "/layers.csv", "/actions.csv"}) {
    CHECK(std::filesystem::file_size(out + name) > 0);
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(out)) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  CHECK(files == 3);  // and no temporary
}

}  // namespace bitpulse
