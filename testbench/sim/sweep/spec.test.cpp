// SPDX-License-Identifier: Apache-2.0
// Sweeps: what the reader takes, that the schema takes the same, and which points follow.

#include "sim/sweep/spec.h"

#include <nlohmann/json.hpp>
#include <set>

#include "models/error.h"
#include "sim/sweep/evaluator.h"
#include "sim/sweep/strategy.h"
#include "testbench/catch.h"
#include "testbench/schema.h"

namespace bitpulse {
namespace {

using Json = nlohmann::json;

Json sample() {
  return Json::parse(R"({
    "schema": "bitpulse/sweep/1", "name": "sample",
    "workloads": ["resnet18-w8a8", "resnet18-w4a4"], "machines": ["int8-32x32-ws"],
    "axes": [
      { "keys": ["machine:/array/rows", "machine:/array/cols"], "values": [8, 16] },
      { "keys": ["machine:/dram/bytes_per_cycle"], "powers_of_two": { "from": 4, "to": 16 } },
      { "keys": ["machine:/clock_mhz"], "range": { "from": 100, "to": 101, "step": 0.5 } },
      { "keys": ["workload:/batch"], "log": { "from": 1, "to": 100, "steps": 3, "integer": true } }
    ],
    "constraints": ["rows * cols <= 128"],
    "objectives": ["cycles", "area_mm2"],
    "strategy": { "name": "random", "points": 50, "seed": 3 },
    "engine": "fast", "verify": "systemc", "images": 4 })");
}

SweepSpec read(const Json& json) { return read_sweep(parse_json(json.dump(), "sweep.json")); }

bool reads(const Json& json) {
  try {
    read(json);
    return true;
  } catch (const Error& error) {
    CHECK((error.kind() == ErrorKind::kInvalidInput || error.kind() == ErrorKind::kLimit));
    return false;
  }
}

}  // namespace

TEST_CASE("schema and reader of sweeps agree on every single change", "[sweep][schema]") {
  const Schema schema("sweep");
  const Json whole = sample();
  REQUIRE(schema.accepts(whole));
  REQUIRE(reads(whole));
  int refused = 0;
  const Json flat = whole.flatten();
  for (const auto& [place, value] : flat.items()) {
    const Json::json_pointer at(place);
    std::vector<Json> changes;
    for (const Json& other : {Json(), Json(true), Json(-1), Json(0), Json(8.5), Json("x"), Json(""),
                              Json::array(), Json::object(), Json(1e13)}) {
      Json changed = whole;
      changed[at] = other;
      // A name that no file has, and an expression, are beyond the schema.
      const bool names = place.rfind("/workloads", 0) == 0 || place.rfind("/machines", 0) == 0;
      // So is the order of limits.
      const bool limit = at.back() == "from" || at.back() == "to";
      if ((names && other == "x") || (limit && other.is_number())) continue;
      changes.push_back(std::move(changed));
    }
    Json added = whole;
    if (added[at.parent_pointer()].is_object()) {
      Json removed = whole;
      removed[at.parent_pointer()].erase(at.back());
      changes.push_back(removed);
      added[at.parent_pointer()]["surprise"] = 1;
      changes.push_back(added);
    }
    for (const Json& changed : changes) {
      CAPTURE(Json::diff(whole, changed).dump());
      REQUIRE(schema.accepts(changed) == reads(changed));
      refused += reads(changed) ? 0 : 1;
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("axes expand to the values they say, and ids number the grid", "[sweep][spec]") {
  const SweepSpec spec = read(sample());
  CHECK(spec.axes[1].values == std::vector<std::string>{"4", "8", "16"});
  CHECK(spec.axes[2].values == std::vector<std::string>{"100", "100.5", "101"});
  CHECK(spec.axes[3].values == std::vector<std::string>{"1", "10", "100"});
  CHECK(spec.grid_points() == 2 * 2 * 3 * 3 * 3);
  std::set<std::vector<std::uint32_t>> seen;
  for (std::uint64_t id = 0; id < spec.grid_points(); ++id) {
    const auto choices = spec.choices(id);
    CHECK(spec.id_of(choices) == id);
    seen.insert(choices);
  }
  CHECK(seen.size() == spec.grid_points());
}

TEST_CASE("a Latin hypercube has as many points as asked, spread evenly over every axis",
          "[sweep][strategy]") {
  Json json = sample();
  json["strategy"] = {{"name", "latin_hypercube"}, {"points", 6}, {"seed", 5}};
  json["axes"] = Json::parse(R"([{ "keys": ["machine:/array/rows"],
                                   "range": { "from": 1, "to": 600, "step": 1 } }])");
  const SweepSpec spec = read(json);
  std::set<std::uint32_t> sixths;
  int first_workload = 0;
  for (const std::uint64_t id : choose_points(spec)) {
    const auto choices = spec.choices(id);
    sixths.insert(choices[2] / 100);
    first_workload += choices[0] == 0 ? 1 : 0;
  }
  CHECK(sixths.size() == 6);
  CHECK(first_workload == 3);
}

TEST_CASE("samples are the same for the same seed and within the grid", "[sweep][strategy]") {
  for (const char* name : {"random", "latin_hypercube", "sobol"}) {
    Json json = sample();
    json["strategy"] = {{"name", name}, {"points", 40}, {"seed", 5}};
    const SweepSpec spec = read(json);
    const auto ids = choose_points(spec);
    CAPTURE(name);
    CHECK(ids == choose_points(spec));
    CHECK(ids.size() > 20);
    CHECK(ids.back() < spec.grid_points());
  }
}

TEST_CASE("constraints and readers refuse points with a reason", "[sweep][constraints]") {
  Json json = sample();
  json["axes"] = Json::parse(R"([{ "keys": ["machine:/array/rows"], "values": [4, 8, 2000] }])");
  json["workloads"] = {"resnet18-w8a8"};
  json["constraints"] = {"rows * cols <= 200 && pe == int8"};
  Evaluator evaluator(read(json));
  CHECK(evaluator.refusal(0).empty());
  CHECK(evaluator.refusal(1) == "constraint: rows * cols <= 200 && pe == int8");
  CHECK(evaluator.refusal(2).find("/array/rows") != std::string::npos);
  json["constraints"] = {"rows * heads <= 2"};
  CHECK_THROWS_AS(Evaluator(read(json)), Error);
}

TEST_CASE("a constraint that would not mean what it says is refused", "[sweep][constraints]") {
  const auto refused = [](const std::string& expression) {
    Json json = sample();
    json["constraints"] = {expression};
    try {
      Evaluator evaluator(read(json));
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  CHECK(refused("rows = 8").find("== to compare") != std::string::npos);
  CHECK(refused("(pe=int8)").find("== to compare") != std::string::npos);
  CHECK(refused("rows <= 8, cols <= 8").find("instead of a comma") != std::string::npos);
  CHECK(refused("4 <= rows <= 8").find("&& between two comparisons") != std::string::npos);
  CHECK(refused("min(rows, cols) >= 4 && max(rows, cols) <= 8").empty());
  CHECK(refused("(rows == cols) == (act_kib >= 64) || pe != int8").empty());
  CHECK(refused("pe == int8 ? rows <= 8 : cols <= 4").empty());
}

}  // namespace bitpulse
