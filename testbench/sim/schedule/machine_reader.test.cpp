// SPDX-License-Identifier: Apache-2.0
// Machines: what the reader takes, and that the schema takes the same.

#include "sim/machine_reader.h"

#include <nlohmann/json.hpp>

#include "models/error.h"
#include "models/io/shipped.h"
#include "testbench/catch.h"
#include "testbench/schema.h"

namespace bitpulse {
namespace {

using Json = nlohmann::json;

Machine read(const Json& json) { return read_machine(parse_json(json.dump(), "machine.json")); }

/// What the reader says against it; empty where it accepts.
std::string refusal(const Json& json) {
  try {
    read(json);
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInvalidInput);
    return error.what();
  }
}

/// Whether reader and schema both accept; fails where they disagree.
class Judges {
 public:
  bool accept(const Json& json) const {
    const bool by_schema = schema_.accepts(json);
    const std::string why = refusal(json);
    const bool by_reader = why.empty();
    CAPTURE(json.dump(), why);
    CHECK(by_schema == by_reader);
    return by_schema && by_reader;
  }

 private:
  Schema schema_{"machine"};
};

Json shipped(const std::string& name) { return load_json(find_file(name, "machines")).raw(); }

/// `whole` with one value changed, removed or added, at every place.
std::vector<Json> changes(const Json& whole) {
  std::vector<Json> all;
  const Json flat = whole.flatten();
  for (const auto& [place, value] : flat.items()) {
    const Json::json_pointer at(place);
    for (const Json& other : {Json(), Json(true), Json(false), Json(-1), Json(0), Json(1), Json(7),
                              Json(8.5), Json(33), Json(1024), Json(1025), Json(1048577),
                              Json(1e13), Json(""), Json("ws"), Json("8"), Json::array()}) {
      if (other == value) continue;
      Json changed = whole;
      changed[at] = other;
      // A name that no file has is beyond the schema.
      const bool is_name = place == "/dram/timing" || place == "/technology";
      if (is_name && other.is_string() && other != "") continue;
      all.push_back(changed);
    }
    Json removed = whole;
    removed[at.parent_pointer()].erase(at.back());
    all.push_back(removed);
    Json added = whole;
    added[at.parent_pointer()]["surprise"] = 1;
    all.push_back(added);
  }
  return all;
}

TEST_CASE("the machine of the manual is read field by field", "[schedule][machine]") {
  const Machine m = read(Json::parse(R"({
    "schema": "bitpulse/machine/1", "name": "int4-32x16-is", "clock_mhz": 812.5,
    "array": { "rows": 32, "cols": 16, "dataflow": "is", "pe": "int4", "acc_bits": 16,
               "overflow": "saturate", "overlap": false },
    "buffers": { "act_kib": 64, "weight_kib": 48, "out_kib": 32, "acc_kib": 24 },
    "vector": { "lanes": 8, "rounding": "half_even" },
    "dram": { "model": "fixed", "bytes_per_cycle": 12, "latency_cycles": 0 },
    "keep_on_chip": false, "technology": "45nm-horowitz" })"));
  CHECK(m.name == "int4-32x16-is");
  CHECK(m.clock_mhz == 812.5);
  CHECK(m.array.rows == 32);
  CHECK(m.array.cols == 16);
  CHECK(m.array.dataflow == Dataflow::kIs);
  CHECK(m.array.pe == PeKind::kInt4);
  CHECK(m.array.acc_bits == 16);
  CHECK(m.array.overflow == Overflow::kSaturate);
  CHECK_FALSE(m.array.overlap);
  CHECK(m.buffers.act_kib == 64);
  CHECK(m.buffers.weight_kib == 48);
  CHECK(m.buffers.out_kib == 32);
  CHECK(m.buffers.acc_kib == 24);
  CHECK(m.vector.lanes == 8);
  CHECK(m.vector.rounding == Rounding::kHalfEven);
  CHECK(m.dram.model == DramModel::kFixed);
  CHECK(m.dram.bytes_per_cycle == 12);
  CHECK(m.dram.latency_cycles == 0);
  CHECK(m.technology == find_file("45nm-horowitz", "technologies"));
}

TEST_CASE("every shipped machine is read under its own name", "[schedule][machine]") {
  const Judges judges;
  const std::vector<std::string> names = shipped_names("machines");
  CHECK(names.size() >= 12);
  for (const std::string& name : names) {
    CHECK(judges.accept(shipped(name)));
    CHECK(read(shipped(name)).name == name);
  }
}

TEST_CASE("schema and reader of machines agree on every single change", "[schedule][machine]") {
  const Judges judges;
  int refused = 0, accepted = 0;
  for (const char* name : {"int4-32x32-ws", "int8-32x32-ws-ddr4"}) {
    for (const Json& changed : changes(shipped(name))) {
      ++(judges.accept(changed) ? accepted : refused);
    }
  }
  CHECK(refused > 400);
  CHECK(accepted > 40);
}

TEST_CASE("a machine keeps tensors on chip if it says so, with true or false",
          "[schedule][machine]") {
  Json json = shipped("int8-32x32-ws");
  CHECK_FALSE(read(json).keep_on_chip);
  json["keep_on_chip"] = true;
  CHECK(read(json).keep_on_chip);
  json["keep_on_chip"] = 1;
  CHECK(refusal(json).find("/keep_on_chip") != std::string::npos);
}

TEST_CASE("a banked machine brings its timing set, an unknown one is named",
          "[schedule][machine]") {
  Json json = shipped("int8-32x32-ws-ddr4");
  const Machine machine = read(json);
  CHECK(machine.dram.model == DramModel::kBanked);
  CHECK(machine.dram.timing.name == "ddr4-2400");
  CHECK(machine.dram.timing.t_rcd > 0);
  json["dram"]["timing"] = "ddr9-1";
  CHECK(refusal(json).find("ddr9-1") != std::string::npos);
}

}  // namespace
}  // namespace bitpulse
