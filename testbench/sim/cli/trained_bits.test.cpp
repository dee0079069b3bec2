// SPDX-License-Identifier: Apache-2.0
// Bits that are chosen and then trained with, by bitpulse-train itself.

#include "models/io/json.h"
#include "testbench/catch.h"
#include "testbench/sim/cli/program.h"

namespace bitpulse {
namespace {

const std::string kShipped = std::string(BITPULSE_SOURCE_DIR) + "/workloads/";

/// The figures with bits left open, fine-tuned for two steps by `method`.
std::string tuned(const std::string& method) {
  return R"({ "schema": "bitpulse/workload/1", "name": "tuned", "network": "resnet8-figures",
    "weights": ")" +
         kShipped + R"(resnet8-figures/float.safetensors",
    "data": { "format": "figures", "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25] },
    "quantization": { "method": ")" +
         method + R"(", "train": { "steps": 2, "batch": 32, "lr": 0.001, "images": 64 },
      "bits": { "auto": "hawq", "budget": { "latency_ms": 0.035 }, "machine": "fused-16x32-ws",
                "sensitivity": ")" +
         kShipped + R"(resnet8-figures/hessian.json" } } })";
}

JsonValue answer(const std::vector<std::string>& words) {
  const Outcome outcome = bitpulse(words);
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  return parse_json(outcome.out, words.front());
}

}  // namespace

TEST_CASE("bits that are left open are chosen, then trained with", "[cli][allocate][train]") {
  for (const std::string method : {"lsq", "hawq"}) {
    CAPTURE(method);
    const ScratchFolder folder;
    const std::string open = folder.file("open.json", tuned(method)), out = folder.path("out");
    const std::string chosen = out + "/chosen.json";
    const Outcome quantized = bitpulse({"quantize", open, "--out", out});
    INFO(quantized.err);
    REQUIRE(quantized.status == 0);
    CHECK(quantized.out.find(chosen) != std::string::npos);

    const JsonValue evaluation =
        answer({"eval", chosen, "--images", "100", "--twin-images", "4", "--json"});
    CHECK(evaluation.at("differing_elements").integer(0, 1) == 0);
    CHECK(evaluation.at("training_top1").number(0, 1) > 0.5);
    // The workload that leaves its bits open is the same network once it names these integers.
    const auto layers = [&](std::vector<std::string> words) {
      words.insert(words.begin(), "run");
      words.insert(words.end(), {"--machine", "fused-16x32-ws", "--check", "--json"});
      return answer(words).at("layers").raw_text();
    };
    CHECK(layers({chosen}) == layers({open, "--set", "/quantization/integers=" + out}));
  }
}

TEST_CASE("a training does not wait for threads that OpenMP's limit keeps back", "[cli][train]") {
  const ScratchFolder folder;
  const Outcome outcome = shell("OMP_THREAD_LIMIT=1 timeout -s KILL 200 \"$bitpulse\" quantize '" +
                                folder.file("open.json", tuned("lsq")) + "' --out '" +
                                folder.path("out") + "' --threads 2");
  INFO(outcome.err);
  CHECK(outcome.status == 0);
}

}  // namespace bitpulse
