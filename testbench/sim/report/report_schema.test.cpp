// SPDX-License-Identifier: Apache-2.0
// Reports follow the schema that is shipped with them, and the schema would notice if not.

#include <nlohmann/json.hpp>

#include "testbench/catch.h"
#include "testbench/schema.h"
#include "testbench/sim/report/samples.h"

namespace bitpulse {
namespace {

using Json = nlohmann::json;

Json written(const Report& report) {
  return Json(parse_json(report_json(report), "report.json").raw());
}

}  // namespace

TEST_CASE("reports with and without values and accuracy follow their schema", "[report][schema]") {
  const Schema schema("report");
  Report report = sample_report();
  CHECK(schema.accepts(written(report)));
  report.has_values = true;
  report.accuracy = AccuracyReport{"cifar10 test.bin", "reference executor", {}};
  report.accuracy->counts.images = 10;
  CHECK(schema.accepts(written(report)));
}

TEST_CASE("the report schema refuses a missing, an unknown and a mistyped key of every object",
          "[report][schema]") {
  const Schema schema("report");
  const Json good = written(sample_report());
  REQUIRE(schema.accepts(good));
  const auto refuses = [&](const Json& changed) { return !schema.accepts(changed); };
  for (const char* place : {"", "/bitpulse", "/totals", "/layers/0", "/technology", "/environment",
                            "/inputs/0", "/totals/stall_cycles"}) {
    const Json::json_pointer object(place);
    for (const auto& [key, value] : good[object].items()) {
      CAPTURE(place, key);
      Json missing = good;
      missing[object].erase(key);
      CHECK(refuses(missing));
      Json mistyped = good;
      mistyped[object][key] = Json::array({Json::object()});
      CHECK(refuses(mistyped));
    }
    Json unknown = good;
    unknown[object]["unknown"] = "text";
    CHECK(refuses(unknown));
  }
  Json fraction = good;
  fraction["totals"]["cycles"] = 0.5;
  CHECK(refuses(fraction));
}

}  // namespace bitpulse
