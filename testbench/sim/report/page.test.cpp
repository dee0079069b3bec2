// SPDX-License-Identifier: Apache-2.0
// Pages, timelines and comparisons. What a browser makes of a page is tested in browser/.

#include "sim/report/page.h"

#include <map>
#include <nlohmann/json.hpp>

#include "models/nets/nets.h"
#include "quant/lower.h"
#include "sim/fast/fast_engine.h"
#include "sim/machine_reader.h"
#include "sim/report/compare.h"
#include "sim/report/occupancy.h"
#include "sim/report/trace.h"
#include "sim/schedule/compile.h"
#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/sim/report/samples.h"

namespace bitpulse {
namespace {

JsonValue written(const Report& report) { return parse_json(report_json(report), "report.json"); }

/// ResNet-20 on a small machine, as the fast engine runs it.
struct SampleRun {
  Program program;
  RunResult result;
  Timeline timeline;

  SampleRun() {
    Workload workload;
    workload.graph = build_network("resnet20-cifar");
    Machine machine;
    machine.name = "m";
    machine.array.rows = machine.array.cols = 16;
    program = compile(lower(workload), machine, {1, 0, -1}, FastEngine::timer);
    result = FastEngine().run(program);
    timeline = account(program, result.times);
  }
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

}  // namespace

TEST_CASE("no name can leave the data of a page", "[report][page]") {
  Report report = sample_report();
  report.layers[0].plan.name = "</script><script>alert(1)</script><!--";
  const std::string page = run_page(written(report), std::nullopt, std::nullopt);
  CHECK(page.find("alert(1)") != std::string::npos);  // it is there, as text
  CHECK(page.find("<script>alert") == std::string::npos);
  CHECK(count(page, "</script>") == 3);  // data, chart library, page
}

TEST_CASE("a page asks for nothing outside itself", "[report][page]") {
  const std::string page = run_page(written(sample_report()), std::nullopt, std::nullopt);
  CHECK(page.find("default-src 'none'") != std::string::npos);
  for (const char* request : {" src=", "<link", "@import", "url(", "fetch(", "XMLHttpRequest"}) {
    CAPTURE(request);
    CHECK(page.find(request) == std::string::npos);
  }
}

TEST_CASE("a page is made of a report and of its own timeline only", "[report][page]") {
  const JsonValue report = written(sample_report());
  CHECK_THROWS_AS(run_page(parse_json(R"({"schema": "bitpulse/machine/1"})", "m.json"),
                           std::nullopt, std::nullopt),
                  Error);
  const SampleRun run;  // of other cycles than the report
  const JsonValue other =
      parse_json(make_trace(run.program, run.result, run.timeline, "t").json, "timeline.json");
  CHECK_THROWS_AS(run_page(report, other, std::nullopt), Error);
}

TEST_CASE("slices of a track nest, and end with the run", "[report][trace]") {
  const SampleRun run;
  const Trace trace = make_trace(run.program, run.result, run.timeline, "a \"title\"");
  CHECK(trace.commands == run.program.commands.size());
  CHECK(trace.shown == trace.commands);
  const auto document = nlohmann::json::parse(trace.json);
  CHECK(document.at("otherData").at("title") == "a \"title\"");
  std::map<int, std::vector<std::pair<std::uint64_t, std::uint64_t>>> open;  // by track
  std::uint64_t latest = 0;
  std::size_t crossings = 0, slices = 0;
  for (const auto& event : document.at("traceEvents")) {
    if (event.at("ph") != "X") continue;
    ++slices;
    const std::uint64_t begin = event.at("ts"), end = begin + event.at("dur").get<std::uint64_t>();
    latest = std::max(latest, end);
    auto& stack = open[event.at("tid").get<int>()];
    while (!stack.empty() && stack.back().second <= begin) stack.pop_back();
    crossings += !stack.empty() && end > stack.back().second;
    stack.emplace_back(begin, end);
  }
  CHECK(crossings == 0);
  CHECK(slices > trace.commands);
  CHECK(latest == run.timeline.cycles);
}

TEST_CASE("a timeline stops at its limit and says so", "[report][trace]") {
  const SampleRun run;
  const Trace trace = make_trace(run.program, run.result, run.timeline, "t", {10, 5});
  CHECK(trace.shown == 10);
  const auto document = nlohmann::json::parse(trace.json);
  CHECK(document.at("otherData").at("commands_shown") == 10);
  CHECK(document.at("otherData").at("commands") == run.program.commands.size());
}

TEST_CASE("the traffic of a timeline is that of the counters", "[report][trace]") {
  const SampleRun run;
  constexpr std::size_t kSamples = 50;
  const auto document = nlohmann::json::parse(
      make_trace(run.program, run.result, run.timeline, "t", {0, kSamples}).json);
  double bytes = 0, last_cycle = 0, last_rate = 0;
  for (const auto& event : document.at("traceEvents")) {
    if (event.at("ph") != "C" || event.at("name") != "DRAM traffic") continue;
    const double cycle = event.at("ts");
    bytes += last_rate * (cycle - last_cycle);
    last_cycle = cycle;
    last_rate = event.at("args").at("bytes per cycle");
  }
  std::uint64_t expected = 0;
  for (const Counters& layer : run.result.layers) {
    expected += layer.dram_read_bytes + layer.dram_write_bytes;
  }
  CHECK(bytes == Approx(static_cast<double>(expected)).epsilon(1e-4));
}

TEST_CASE("buffers fill to their size at most and end empty", "[report][occupancy]") {
  const SampleRun run;
  const auto occupancy = buffer_occupancy(run.program, run.result.times);
  REQUIRE(occupancy.size() == 3);
  const BufferSpec& size = run.program.machine.buffers;
  const std::uint64_t kib[] = {size.act_kib, size.weight_kib, size.out_kib};
  for (std::size_t buffer = 0; buffer < 3; ++buffer) {
    CAPTURE(buffer);
    REQUIRE(!occupancy[buffer].empty());
    std::uint64_t peak = 0;
    for (const OccupancyStep& step : occupancy[buffer]) peak = std::max(peak, step.bits);
    CHECK(peak > 0);
    CHECK(peak <= kib[buffer] * 8192);
    CHECK(occupancy[buffer].back().bits == 0);
  }
}

TEST_CASE("a comparison says what changed, by how much, and what has no counterpart",
          "[report][compare]") {
  const Report a = sample_report();
  Report b = a;
  b.layers[0].timeline.cycles = 1500;
  b.totals.cycles = 3500;
  b.layers[1].plan.name = "other|name";
  const std::string text = compare_markdown(written(a), written(b));
  CHECK(text.find("| cycles | 3000 | 3500 | +16.7 % |") != std::string::npos);
  CHECK(text.find("| c1 | 4/4 | 1000 | 1500 | +50.0 % |") != std::string::npos);
  CHECK(text.find("- only in A: c2\n") != std::string::npos);
  CHECK(text.find("- only in B: other\\|name\n") != std::string::npos);
  const std::string same = compare_markdown(written(a), written(a));
  CHECK(same.find('%') == same.find("utilization (%)") + 13);  // no change anywhere
}

}  // namespace bitpulse
