// SPDX-License-Identifier: Apache-2.0
// Sensitivities on demand and their cache. A program of the same name stands in for bitpulse-train
// beside a copy of bitpulse, so that every build can say when it is started.

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "testbench/catch.h"
#include "testbench/sim/cli/program.h"

namespace bitpulse {
namespace {

namespace fs = std::filesystem;

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const std::string kShipped = std::string(BITPULSE_SOURCE_DIR) + "/workloads/";
const std::string kMachine = kShipped + "machines/fused-16x32-ws.json";

/// Bits that are left open without saying where sensitivities are.
std::string open_bits(const std::string& weights) {
  return R"({ "schema": "bitpulse/workload/1", "name": "open", "network": "resnet8-figures", )" +
         weights + R"( "data": { "format": "figures" }, "quantization": { "method": "ptq",
         "bits": { "auto": "hawq", "budget": { "latency_ms": 0.035 } } } })";
}

/// A workload, and the programs in a folder.
struct OnDemand {
  ScratchFolder folder;
  std::string workload = folder.file(
      "workload.json",
      open_bits(R"("weights": ")" + kShipped + R"(resnet8-figures/float.safetensors",)"));

  OnDemand() { fs::copy_file(BITPULSE_PROGRAM, folder.path("bitpulse")); }

  /// Notes that it was started and ends as told.
  void stand_in(const std::string& end) const {
    const std::string note = "echo \"$@\" >> '" + folder.path("started") + "'\n";
    const std::string out = "while [ \"$1\" != --out ]; do shift; done\n";
    const std::string path = folder.file("bitpulse-train", "#!/bin/sh\n" + note + out + end + '\n');
    fs::permissions(path, fs::perms::owner_all);
  }
  std::string written() const { return "cp '" + kShipped + "resnet8-figures/hessian.json' \"$2\""; }

  Outcome allocate(const std::string& more = "") const {
    return shell("BITPULSE_CACHE='" + folder.path("cache") + "' '" + folder.path("bitpulse") +
                 "' allocate '" + workload + "' --machine '" + kMachine + "' " + more);
  }
  int starts() const {
    if (!fs::exists(folder.path("started"))) return 0;
    const std::string lines = content_of(folder.path("started"));
    return static_cast<int>(std::count(lines.begin(), lines.end(), '\n'));
  }
  std::string entry() const {
    for (const auto& file : fs::directory_iterator(folder.path("cache/hessian"))) {
      return file.path().string();
    }
    return "";
  }
};

}  // namespace

TEST_CASE("sensitivities that are not named are estimated once", "[cli][sensitivity]") {
  const OnDemand files;
  files.stand_in(files.written());
  const Outcome first = files.allocate();
  INFO(first.err);
  REQUIRE(first.status == 0);
  CHECK(files.starts() == 1);
  CHECK(holds(first.err, "estimating sensitivities once"));
  CHECK(holds(content_of(files.folder.path("started")), "--activation-draws 0 "));
  const Outcome second = files.allocate();
  CHECK(second.out == first.out);
  CHECK(second.err.empty());
  CHECK(files.starts() == 1);
  const Outcome named = files.allocate("--set '/quantization/bits/sensitivity=\"" + kShipped +
                                       "resnet8-figures/hessian.json\"'");
  CHECK(named.out == first.out);
  // Other bits, same sensitivities; another seed, others.
  CHECK(files.allocate("--set /quantization/bits/choices=[4,8]").status == 0);
  CHECK(files.starts() == 1);
  CHECK(files.allocate("--set /seed=2").status == 0);
  CHECK(files.starts() == 2);
}

TEST_CASE("a damaged entry of the cache is estimated again", "[cli][sensitivity]") {
  const OnDemand files;
  files.stand_in(files.written());
  const std::string whole = files.allocate().out;
  const std::string entry = files.entry();
  const std::string content = content_of(entry);
  for (const std::string& damage :
       {content.substr(0, content.size() / 2), std::string(), std::string("{}")}) {
    const int before = files.starts();
    std::ofstream(entry, std::ios::trunc) << damage;
    const Outcome outcome = files.allocate();
    CHECK(outcome.status == 0);
    CHECK(outcome.out == whole);
    CHECK(holds(outcome.err, "it is made again"));
    CHECK(files.starts() == before + 1);
    CHECK(content_of(entry) == content);
  }
}

TEST_CASE("free activations ask for their sensitivities, too, and for nothing again",
          "[cli][sensitivity]") {
  const OnDemand files;
  files.stand_in(files.written());
  REQUIRE(files.allocate().status == 0);
  const std::string of_weights = files.entry();
  const Outcome outcome = files.allocate("--set '/quantization/bits/activations=\"free\"'");
  CHECK(files.starts() == 2);
  CHECK(holds(content_of(files.folder.path("started")),
              "--traces " + of_weights + " --images 512 --draws 50 --activation-draws 5 "));
  CHECK(outcome.status == 3);  // the stand-in's file has none
  CHECK(holds(outcome.err, "\"activation_loss\""));
}

TEST_CASE("an estimate that fails or cannot be made is an error at the bits",
          "[cli][sensitivity]") {
  const OnDemand files;
  const Outcome without = files.allocate();
  CHECK(without.status == 2);
  CHECK(holds(without.err, "at /quantization/bits"));
  CHECK(holds(without.err, "no bitpulse-train beside this program"));
  CHECK(holds(without.err, "`bitpulse sensitivity`"));

  files.stand_in("exit 5");
  const Outcome failed = files.allocate();
  CHECK(failed.status == 1);
  CHECK(holds(failed.err, "bitpulse-train ended with status 5"));
  // Nothing is kept of it.
  files.stand_in(files.written());
  CHECK(files.allocate().status == 0);

  CHECK(bitpulse({"validate", files.workload}).status == 0);
  files.folder.file("workload.json", open_bits(""));
  const Outcome seeded = files.allocate();
  CHECK(seeded.status == 3);
  CHECK(holds(seeded.err, "those of a trained float network"));
}

}  // namespace bitpulse
