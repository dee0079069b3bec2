// SPDX-License-Identifier: Apache-2.0
// Schema and reader of technologies and DRAM parts accept and refuse the same files, but for what a
// schema cannot say (ascending points, powers of two).

#include <nlohmann/json.hpp>

#include "models/error.h"
#include "models/io/shipped.h"
#include "sim/energy/technology.h"
#include "sim/memory/dram_timing.h"
#include "testbench/catch.h"
#include "testbench/schema.h"

namespace bitpulse {
namespace {

using Json = nlohmann::json;

template <class Read>
bool reads(const Json& value, Read&& read) {
  try {
    read(parse_json(value.dump(), "changed.json"));
    return true;
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInvalidInput);
    return false;
  }
}

/// Every document that differs from `whole` in one place: a member removed, one added, a value of
/// another kind, or a number out of range.
std::vector<Json> mutations(const Json& whole) {
  std::vector<Json> all;
  const Json flat = whole.flatten();
  for (const auto& [place, value] : flat.items()) {
    const Json::json_pointer at(place);
    const auto with = [&](const Json& replacement) {
      Json changed = whole;
      changed[at] = replacement;
      all.push_back(changed);
    };
    with(nullptr);
    with(true);
    with(Json::array());
    if (value.is_number()) {
      with(-1);
      with("8");
      with(1e13);
      with(8.5);
    } else {
      with(7);
      with("");
    }
    Json removed = whole;
    Json& parent = removed[at.parent_pointer()];
    if (parent.is_object()) {
      parent.erase(at.back());
      all.push_back(removed);
      Json added = whole;
      added[at.parent_pointer()]["surprise"] = 1;
      all.push_back(added);
    }
  }
  return all;
}

TEST_CASE("schema and reader of technologies agree on every single change",
          "[sim][energy][schema]") {
  const Schema schema("technology");
  for (const std::string& name : shipped_names("technologies")) {
    const Json whole = load_json(find_file(name, "technologies")).raw();
    CAPTURE(name);
    CHECK(schema.accepts(whole));
    CHECK(reads(whole, read_technology));
    int refused = 0;
    for (const Json& changed : mutations(whole)) {
      const bool by_schema = schema.accepts(changed);
      const bool by_reader = reads(changed, read_technology);
      if (by_schema != by_reader) {
        // Only the order of points is beyond the schema.
        const Json difference = Json::diff(whole, changed);
        INFO(difference.dump());
        REQUIRE((by_schema && !by_reader));
        REQUIRE(difference[0]["path"].get<std::string>().find("/points/") != std::string::npos);
      }
      refused += by_reader ? 0 : 1;
    }
    CHECK(refused > 500);
  }
}

TEST_CASE("schema and reader of DRAM parts agree on every single change", "[sim][memory][schema]") {
  const Schema schema("dram");
  for (const std::string& name : shipped_names("dram")) {
    const Json whole = load_json(find_file(name, "dram")).raw();
    CAPTURE(name);
    CHECK(schema.accepts(whole));
    CHECK(reads(whole, read_dram_timing));
    for (const Json& changed : mutations(whole)) {
      CAPTURE(Json::diff(whole, changed).dump());
      REQUIRE(schema.accepts(changed) == reads(changed, read_dram_timing));
    }
  }
}

}  // namespace
}  // namespace bitpulse
