// SPDX-License-Identifier: Apache-2.0
// What points cost does not depend on what is shared with others.

#include "sim/sweep/evaluator.h"

#include <numeric>
#include <set>

#include "models/error.h"
#include "sim/sweep/order.h"
#include "testbench/catch.h"

namespace bitpulse {
namespace {

/// Clocks and technologies slowest, so that points that share a run are no neighbours.
SweepSpec over_clocks() {
  return read_sweep(parse_json(R"({
    "schema": "bitpulse/sweep/1", "name": "clocks",
    "workloads": ["small-residual-w4a4"], "machines": ["int8-32x32-ws"],
    "axes": [
      { "keys": ["machine:/clock_mhz"], "values": [400, 1000] },
      { "keys": ["machine:/technology"], "values": ["45nm-bitfusion", "45nm-horowitz"] },
      { "keys": ["machine:/dram"], "values": [
        { "model": "fixed", "bytes_per_cycle": 8, "latency_cycles": 20 },
        { "model": "banked", "timing": "ddr4-2400" } ] },
      { "keys": ["machine:/array/rows"], "values": [8, 16] } ],
    "objectives": ["cycles", "energy_pj"] })",
                               "sweep.json"));
}

}  // namespace

TEST_CASE("points that share a run have the metrics that each has alone", "[sweep][evaluator]") {
  const SweepSpec spec = over_clocks();
  Evaluator together(spec);
  std::set<std::uint64_t> groups;
  for (std::uint64_t id = 0; id < spec.grid_points(); ++id) {
    CAPTURE(id);
    const PointMetrics shared = together.evaluate(id), alone = Evaluator(spec).evaluate(id);
    for (const MetricInfo& metric : kMetricTable) {
      CAPTURE(metric.name);
      CHECK(shared.*metric.member == alone.*metric.member);
    }
    groups.insert(together.sharing(id));
  }
  CHECK(groups.size() == 4);  // memories x rows
  std::vector<std::uint64_t> ids(spec.grid_points());
  std::iota(ids.begin(), ids.end(), 0);
  const std::vector<std::uint64_t> ordered = in_order(together, ids);
  CHECK(std::set<std::uint64_t>(ordered.begin(), ordered.end()).size() == ids.size());
  CHECK(ends_of_batches(together, ordered) == std::vector<std::size_t>{4, 8, 12, 16});
  // The clock decides on the cycles of banked memory only.
  const auto cycles = [&](std::vector<std::uint32_t> choices) {
    return together.evaluate(spec.id_of(choices)).cycles;
  };
  CHECK(cycles({0, 0, 0, 0, 0, 1}) == cycles({0, 0, 1, 0, 0, 1}));
  CHECK(cycles({0, 0, 0, 0, 1, 1}) != cycles({0, 0, 1, 0, 1, 1}));
}

TEST_CASE("bits left open are chosen for the point's machine, or the point is refused",
          "[sweep][evaluator]") {
  struct FixedChooser : BitChooser {
    int choices = 0;
    std::vector<std::string> files(const Input&) override { return {}; }
    Workload choose(const Input& input, const Machine& machine, const std::string&) override {
      ++choices;
      Workload chosen = input.workload;
      chosen.quantization.auto_bits.reset();
      chosen.quantization.weights = machine.array.rows == 8 ? 2 : 8;
      return chosen;
    }
  };
  const SweepSpec spec = read_sweep(parse_json(R"({
    "schema": "bitpulse/sweep/1", "name": "open bits",
    "workloads": ["resnet8-figures-hawq"], "machines": ["int8-32x32-ws"],
    "axes": [ { "keys": ["machine:/array/rows"], "values": [8, 16] } ],
    "constraints": ["weight_bits == 2"], "objectives": ["cycles"] })",
                                               "sweep.json"));
  const auto chooser = std::make_shared<FixedChooser>();
  Evaluator evaluator(spec, chooser);
  CHECK(evaluator.refusal(0).empty());
  CHECK(evaluator.refusal(1) == "constraint: weight_bits == 2");
  evaluator.evaluate(0);
  CHECK(chooser->choices == 2);
  CHECK(Evaluator(spec).refusal(0).find("/quantization/bits") != std::string::npos);
}

}  // namespace bitpulse
