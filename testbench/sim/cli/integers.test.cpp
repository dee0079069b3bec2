// SPDX-License-Identifier: Apache-2.0
// Integers that were quantized (or learned) before and are named by a workload.

#include "models/io/json.h"
#include "testbench/catch.h"
#include "testbench/sim/cli/program.h"

namespace bitpulse {

namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a workload that names its integers runs exactly as one that is quantized anew",
          "[cli][integers]") {
  const ScratchFolder folder;
  const std::string workload = folder.file("w.json", small_workload());
  const std::string machine = folder.file("m.json", small_machine());
  REQUIRE(bitpulse({"quantize", workload, "--out", folder.path("net")}).status == 0);
  const std::string named = "/quantization/integers=net";

  const Outcome anew = bitpulse({"eval", workload, "--json"});
  const Outcome same = bitpulse({"eval", workload, "--json", "--set", named});
  CHECK(same.status == 0);
  CHECK(same.out == anew.out);
  const Outcome run = bitpulse({"run", workload, "--machine", machine, "--check", "--set",
                                "workload:" + named, "--out", folder.path("out")});
  INFO(run.err);
  CHECK(run.status == 0);
  CHECK(holds(content_of(folder.path("out/report.json")), "net/tensors.safetensors"));

  // The integers decide, not the weights: beside another seed's weights they are far off.
  const auto compared = [&](const std::string& seed) {
    return bitpulse({"eval", workload, "--compare-layers", "--set", named, "--set", seed}).out;
  };
  CHECK(holds(compared("/seed=1"), "no tensor is below"));
  CHECK(holds(compared("/seed=5"), "the first tensor below"));
}

TEST_CASE("a twin of fewer images leaves the integers' figures as they are", "[cli][integers]") {
  const ScratchFolder folder;
  const std::string workload = folder.file("w.json", small_workload());
  const auto evaluated = [&](const std::string& images) {
    const Outcome outcome = bitpulse({"eval", workload, "--json", "--twin-images", images});
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    return parse_json(outcome.out, "evaluation");
  };
  const JsonValue few = evaluated("3"), many = evaluated("6");
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  CHECK(few.at("fake_quant_images").integer(0, kMost) == 3);
  CHECK(2 * few.at("compared_elements").integer(1, kMost) ==
        many.at("compared_elements").integer(1, kMost));
  CHECK(few.at("top1_agreement").number(0, 1) == many.at("top1_agreement").number(0, 1));
  CHECK(bitpulse({"eval", workload, "--twin-images", "0"}).status == 2);
}

TEST_CASE("integers of other layers or widths are refused", "[cli][integers]") {
  const ScratchFolder folder;
  const std::string workload = folder.file("w.json", small_workload());
  REQUIRE(bitpulse({"quantize", workload, "--out", folder.path("net")}).status == 0);
  for (const char* change : {"/quantization/activations=5", "/quantization/rounding=half_even"}) {
    const Outcome refused =
        bitpulse({"eval", workload, "--set", "/quantization/integers=net", "--set", change});
    CHECK(refused.status == 3);
    CHECK(holds(refused.err, "expected one made from this workload"));
  }
  const Outcome none = bitpulse({"eval", workload, "--set", "/quantization/integers=nowhere"});
  CHECK(none.status == 3);
  CHECK(holds(none.err, "nowhere"));
}

}  // namespace bitpulse
