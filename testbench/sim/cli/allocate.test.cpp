// SPDX-License-Identifier: Apache-2.0
// Bits that a workload leaves to be chosen, as users meet them.

#include <filesystem>

#include "models/io/json.h"
#include "testbench/catch.h"
#include "testbench/sim/cli/program.h"

namespace bitpulse {
namespace {

/// The small network's bits are chosen within `budget`; its ends stay at 8 bits but for c2.
std::string chosen_workload(const std::string& budget, const std::string& more = "") {
  std::string text = small_workload();
  const std::string fixed = R"("weights": 4, "activations": 4, "first_last": 8)";
  return text.replace(text.find(fixed), fixed.size(),
                      R"("bits": { "auto": "hawq", "sensitivity": "hessian.json", "budget": )" +
                          budget + more + " }");
}

std::string sensitivities(const std::string& digest = "") {
  return R"({ "schema": "bitpulse/hessian/1", "network": "inline", "weights_sha256": ")" + digest +
         R"(", "images": 1, "seed": 1, "method": "double_backward", "layers": [
    { "name": "c2", "parameters": 576, "trace": 0.5, "standard_error": 0.1, "draws": 10 } ] })";
}

struct Case {
  ScratchFolder folder;
  std::string machine = folder.file("machine.json", small_machine());
  explicit Case(const std::string& digest = "") {
    folder.file("hessian.json", sensitivities(digest));
  }
  std::string workload(const std::string& budget, const std::string& more = "") const {
    return folder.file("workload.json", chosen_workload(budget, more));
  }
};

}  // namespace

TEST_CASE("run chooses bits within the budget and reports why", "[cli][allocate]") {
  const Case files;
  const auto bits_at = [&](const std::string& latency) {
    const Outcome outcome = bitpulse({"run", files.workload(R"({ "latency_ms": )" + latency + " }"),
                                      "--machine", files.machine, "--engine", "fast", "--json"});
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    const JsonValue report = parse_json(outcome.out, "report");
    const JsonValue budget = report.at("allocation").at("budgets")[2];
    CHECK(budget.at("simulated").number(0, 1) <= std::stod(latency));
    CHECK(budget.at("simulated").number(0, 1) == report.at("totals").at("time_ms").number(0, 1));
    CHECK(report.at("allocation").at("layers")[1].at("options").size() == 3);
    return report.at("layers")[1].at("weight_bits").integer(2, 8);
  };
  CHECK(bits_at("0.9") == 8);
  // Between what all 8 and all 2 bits take.
  const Outcome front = bitpulse({"allocate", files.workload(R"({ "latency_ms": 0.9 })"),
                                  "--machine", files.machine, "--front", "2", "--json"});
  REQUIRE(front.status == 0);
  const double cheapest =
      parse_json(front.out, "front")[0].at("budgets")[2].at("simulated").number(0, 1);
  CHECK(bits_at(std::to_string(cheapest * 1.001)) == 2);
}

TEST_CASE("the workload that allocate writes runs as the one that leaves bits open",
          "[cli][allocate]") {
  const Case files;
  const std::string open = files.workload(R"({ "size_mib": 0.0012 })");
  const std::string written = files.folder.path("written.json");
  REQUIRE(bitpulse({"allocate", open, "--out", written}).status == 0);
  CHECK(bitpulse({"validate", open, written}).status == 0);
  const auto layers = [&](const std::string& workload) {
    const Outcome outcome =
        bitpulse({"run", workload, "--machine", files.machine, "--check", "--json"});
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    return parse_json(outcome.out, "report").at("layers").raw_text();
  };
  CHECK(layers(open) == layers(written));
}

TEST_CASE("the shipped choice of bits mixes widths and loses at most three points",
          "[cli][allocate]") {
  const std::vector<std::string> words{
      "eval", "resnet8-figures-hawq", "--images", "500", "--twin-images", "4", "--json"};
  const Outcome outcome = bitpulse(words);
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  const JsonValue answer = parse_json(outcome.out, "answer");
  CHECK(answer.at("integer_top1").number(0, 1) >= answer.at("float_top1").number(0, 1) - 0.03);
  CHECK(answer.at("compared_elements").integer(1, 1 << 30) > 0);
  CHECK(answer.at("differing_elements").integer(0, 1 << 30) == 0);
  const Outcome chosen = bitpulse({"allocate", "resnet8-figures-hawq"});
  CHECK(chosen.out.find(" 4/4 ") != std::string::npos);
  CHECK(chosen.out.find(" 8/8 ") != std::string::npos);
}

TEST_CASE("a training is given the chosen bits as numbers", "[cli][allocate]") {
  const Case files;
  std::string text = chosen_workload(R"({ "size_mib": 0.0012 })");
  const std::string ptq = R"("method": "ptq")";
  const std::string workload = files.folder.file(
      "learned.json", text.replace(text.find(ptq), ptq.size(), R"("method": "lsq", "train": {})"));
  // Stands in for the trainer beside a copy of the program: keeps its workload and fails.
  const std::string trainer = files.folder.file(
      "bitpulse-train", "#!/bin/sh\ncp \"$1\" '" + files.folder.path("given.json") + "'\nexit 5\n");
  std::filesystem::permissions(trainer, std::filesystem::perms::owner_all);
  std::filesystem::copy_file(BITPULSE_PROGRAM, files.folder.path("bitpulse"));

  const Outcome outcome =
      shell("'" + files.folder.path("bitpulse") + "' quantize '" + workload + "' --out '" +
            files.folder.path("out") + "' --set /quantization/train/epochs=3");
  INFO(outcome.err);
  CHECK(outcome.status == 5);
  const std::string given = content_of(files.folder.path("given.json"));
  CHECK(given == content_of(files.folder.path("out/chosen.json")));
  const JsonValue quantization = parse_json(given, "given").at("quantization");
  CHECK_FALSE(quantization.has("bits"));
  CHECK(quantization.at("train").at("epochs").integer(0, 9) == 3);
  CHECK(quantization.at("layers").at("c2").at("weights").integer(2, 8) ==
        quantization.at("layers").at("c2").at("activations").integer(2, 8));
  CHECK(quantization.at("integers").text() == ".");
}

TEST_CASE("a single width is what every open layer gets", "[cli][allocate]") {
  const Case files;
  const std::string one = files.workload(R"({ "latency_ms": 0.9 })", R"(, "choices": [4])");
  const Outcome outcome =
      bitpulse({"run", one, "--machine", files.machine, "--engine", "fast", "--json"});
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  const JsonValue report = parse_json(outcome.out, "report");
  CHECK(report.at("layers")[1].at("weight_bits").integer(2, 8) == 4);
  CHECK(report.at("layers")[1].at("act_bits").integer(2, 8) == 4);
}

TEST_CASE("budgets that cannot be met and sensitivities of other weights are refused",
          "[cli][allocate]") {
  const Case files;
  const Outcome small = bitpulse({"run", files.workload(R"({ "size_mib": 0.0001 })"), "--machine",
                                  files.machine, "--engine", "fast"});
  CHECK(small.status == 3);
  CHECK(small.err.find("at /quantization/bits/budget") != std::string::npos);
  CHECK(small.err.find("the smallest that any choice of bits has") != std::string::npos);

  const Outcome without = bitpulse({"allocate", files.workload(R"({ "energy_uj": 1 })")});
  CHECK(without.status == 3);
  CHECK(without.err.find("expected a machine beside it") != std::string::npos);

  const Outcome free =
      bitpulse({"allocate", files.workload(R"({ "size_mib": 1 })", R"(, "activations": "free")")});
  CHECK(free.status == 3);
  CHECK(free.err.find("\"activation_loss\"") != std::string::npos);

  const Case others("ab");
  const Outcome strange = bitpulse({"allocate", others.workload(R"({ "size_mib": 1 })")});
  CHECK(strange.status == 3);
  CHECK(strange.err.find("sensitivities of other weights") != std::string::npos);
}

}  // namespace bitpulse
