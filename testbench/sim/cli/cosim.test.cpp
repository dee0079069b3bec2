// SPDX-License-Identifier: Apache-2.0

// What `bitpulse cosim` says and writes where all engines agree, and where an array is wrong: the
// same program with a Verilated ws int8 3x7 array that now and then gets a sum wrong.

#include <sstream>

#include "models/io/json.h"
#include "testbench/catch.h"
#include "testbench/sim/cli/program.h"

namespace bitpulse {
namespace {

constexpr std::int64_t kMany = std::int64_t{1} << 40;

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

std::string last_line(const std::string& text) {
  std::istringstream stream(text);
  std::string last;
  for (std::string line; std::getline(stream, line);) last = line;
  return last;
}

/// A machine whose array is in every build with RTL.
std::string built_machine() {
  std::string text = small_machine();
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"\"rows\": 8", "\"rows\": 3"},
                                 {"\"cols\": 4", "\"cols\": 7"},
                                 {"\"int4\"", "\"int8\""}}) {
    REQUIRE(text.find(from) != std::string::npos);
    text.replace(text.find(from), from.size(), to);
  }
  return text;
}

TEST_CASE("random cases agree, are counted, and the seed alone decides them", "[cli][cosim]") {
  const std::vector<std::string> words{"cosim", "--random", "8", "--seed", "9", "--json"};
  const Outcome outcome = bitpulse(words);
  CAPTURE(outcome.err);
  REQUIRE(outcome.status == 0);
  CHECK(outcome.err.empty());
  const JsonValue report = parse_json(outcome.out, "stdout");
  CHECK(report.at("schema").text() == "bitpulse/cosim/1");
  CHECK(report.at("command").text() == "bitpulse cosim --random 8 --seed 9");
  CHECK(report.at("seed").integer(0, kMany) == 9);
  CHECK(report.at("divergent").integer(0, kMany) == 0);
  REQUIRE(report.at("cases").size() == 8);
  for (const char* count : {"commands", "cycles", "elements"}) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < 8; ++i) sum += report.at("cases")[i].at(count).integer(1, kMany);
    CHECK(report.at("totals").at(count).integer(1, kMany) == sum);
  }
  CHECK(report.at("totals").at("cases").integer(0, kMany) == 8);
  CHECK(bitpulse(words).out == outcome.out);
  CHECK(bitpulse({"cosim", "--random", "8", "--seed", "10", "--json"}).out != outcome.out);
}

/// Ten images on a 16x16 array, every integer compared with the reference: cycles and accuracy are
/// those of systemc, and at least `least` of the images are classed right.
void check_ten_images(const std::string& workload, const std::string& pe, double least,
                      const std::vector<std::string>& more = {}) {
  CAPTURE(workload);
  std::vector<std::string> words{
      "run", workload, "--machine", "int8-16x16-ws-edge",      "--check", "--images",
      "10",  "--json", "--set",     "machine:/array/pe=" + pe, "--set",   "workload:/batch=10"};
  words.insert(words.end(), more.begin(), more.end());
  const auto report = [&](const std::string& engine) {
    std::vector<std::string> run = words;
    run.insert(run.end(), {"--engine", engine});
    const Outcome outcome = bitpulse(run);
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    return parse_json(outcome.out, "report");
  };
  const JsonValue systemc = report("systemc"), rtl = report("rtl");
  CHECK(systemc.at("totals").at("cycles").integer(1, kMany) ==
        rtl.at("totals").at("cycles").integer(1, kMany));
  CHECK(rtl.at("accuracy").at("images").integer(0, kMany) == 10);
  CHECK(rtl.at("accuracy").at("integer_top1").number(0, 1) >= least);
  for (const char* share : {"integer_top1", "top1_agreement"}) {
    CHECK(systemc.at("accuracy").at(share).number(0, 1) ==
          rtl.at("accuracy").at(share).number(0, 1));
  }
}

TEST_CASE("ten figures get their classes from the Verilated array, too", "[cli][rtl][network]") {
  check_ten_images("resnet8-figures-w4a4-lsq", "fused", 0.7);
  check_ten_images("resnet8-figures-w2a2-lsq", "fused", 0.7);
}

TEST_CASE("ten CIFAR-10 images get their classes from the Verilated array, too",
          "[cli][rtl][network][real-data]") {
  BITPULSE_REQUIRE_SHARED("data/models/resnet20_cifar10.safetensors");
  const std::string data = BITPULSE_SHARED_DIR "/data/";
  const std::vector<std::string> more{
      "--set", "workload:/weights=" + data + "models/resnet20_cifar10.safetensors", "--set",
      "workload:/data={\"format\": \"cifar10\", \"test\": \"" + data +
          "cifar10/test_a_2k.bin\", \"train\": \"" + data +
          "cifar10/train_10k.bin\", \"mean\": [0.485, 0.456, 0.406], \"std\": [0.229, 0.224, "
          "0.225]}"};
  check_ten_images("resnet20-cifar-w8a8", "int8", 0.7, more);
  check_ten_images("resnet20-cifar-w4a4-mixed", "fused", 0.7, more);
  check_ten_images("resnet20-cifar-w4a4", "int4", 0.5, more);
  check_ten_images("resnet20-cifar-w2a2", "int2", 0, more);  // calibrated only
}

TEST_CASE("a workload and random cases on its machine are compared in one run", "[cli][cosim]") {
  const ScratchFolder folder;
  const Outcome outcome =
      bitpulse({"cosim", folder.file("w.json", small_workload()), "--machine",
                folder.file("m.json", built_machine()), "--random", "3", "--json", "--set",
                "/array/overlap=false", "--junit", folder.path("junit.xml")});
  CAPTURE(outcome.err);
  REQUIRE(outcome.status == 0);
  const JsonValue cases = parse_json(outcome.out, "stdout").at("cases");
  REQUIRE(cases.size() == 4);
  CHECK(cases[0].at("name").text() == "small");
  for (std::size_t i = 1; i < 4; ++i) {
    CHECK(cases[i].at("name").text().find("ws int8 3x7, 24 bits wrap, no overlap") !=
          std::string::npos);
  }
  const std::string junit = content_of(folder.path("junit.xml"));
  CHECK(junit.find("tests=\"4\" failures=\"0\"") != std::string::npos);
  CHECK(occurrences(junit, "<testcase ") == 4);
}

TEST_CASE("a wrong array exits 1 with the first divergence, and the seed as the last line",
          "[cli][cosim]") {
  const ScratchFolder folder;
  const std::string job = "\"$bitpulse\" cosim --random 4 --seed 21 --machine " +
                          folder.file("m.json", built_machine()) + " --junit " +
                          folder.path("junit.xml");
  REQUIRE(shell(job).status == 0);  // with the right array
  const std::string wrong = "bitpulse=" BITPULSE_FAULTY "; PATH=/nowhere; " + job;
  const Outcome text = shell(wrong);
  CAPTURE(text.out, text.err);
  CHECK(text.status == 1);
  CHECK(text.out.find("differ\nfirst: random ") != std::string::npos);
  CHECK(text.out.find("array command ") != std::string::npos);
  CHECK(text.out.find("found ") != std::string::npos);
  CHECK(text.out.find("expected ") != std::string::npos);
  CHECK(text.out.find(", cycle ") != std::string::npos);
  CHECK(text.out.find("no waves: verilator") != std::string::npos);
  CHECK(last_line(text.out) == "seed 21");

  const std::string junit = content_of(folder.path("junit.xml"));
  CHECK(occurrences(junit, "<testcase ") == 4);
  CHECK(occurrences(junit, "<failure ") > 0);
  CHECK(junit.find("layer &quot;") != std::string::npos);

  const Outcome json = shell(wrong + " --json");
  CHECK(json.status == 1);
  CHECK(last_line(json.err) == "seed 21");
  const JsonValue report = parse_json(json.out, "stdout");
  CHECK(report.at("divergent").integer(1, 4) ==
        static_cast<std::int64_t>(occurrences(junit, "<failure ")));
}

TEST_CASE("cosim refuses what it cannot compare", "[cli][cosim]") {
  const auto status = [](const std::vector<std::string>& words, const std::string& hint) {
    const Outcome outcome = bitpulse(words);
    CAPTURE(outcome.err);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find(hint) != std::string::npos);
    return outcome.status;
  };
  CHECK(status({"cosim"}, "--random") == 2);
  CHECK(status({"cosim", "two-layers-w8a8"}, "--machine") == 2);
  CHECK(status({"cosim", "--random", "1", "--array", "mine"}, "--machine") == 2);
  CHECK(status({"cosim", "--random", "0"}, "--random") == 2);
  CHECK(status({"cosim", "--random", "1", "--seed", "-1"}, "--seed") == 2);
  CHECK(status({"cosim", "--random", "1", "--set", "/name=x"}, "WORKLOAD") == 2);
  CHECK(status({"cosim", "--random", "1", "--machine", "int8-256x256-ws"},
               "bitpulse rtl build --rows 256 --cols 256 --pe int8 --dataflow ws") == 3);
  CHECK(status({"cosim", "two-layers-w8a8", "--machine", "int8-128x128-ws"}, "128x128") == 3);
  CHECK(status({"cosim", "--random", "1", "--junit", "/no/such/folder/f.xml"}, "f.xml") == 5);
}

}  // namespace
}  // namespace bitpulse
