// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/documents.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "models/error.h"
#include "models/text.h"
#include "sim/sweep/store.h"

namespace bitpulse {
namespace {

using Json = nlohmann::ordered_json;

std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

/// What the store has of a point's axes, an object.
Json parameters_of(const PointIdentity& point) {
  Json parameters = Json::parse(point.parameters, nullptr, false);
  if (parameters.is_object()) return parameters;
  throw Error(ErrorKind::kInvalidInput, "database: point " + std::to_string(point.id) +
                                            ": found parameters \"" + printable(point.parameters) +
                                            "\", expected a JSON object");
}

/// Integers as such, others in the shortest form that reads back the same.
std::string number(double value) {
  constexpr double kExact = 1e15;
  if (std::abs(value) <= kExact && value == std::nearbyint(value)) {
    return std::to_string(static_cast<std::int64_t>(value));
  }
  return Json(value).dump();
}

std::vector<std::string> parameter_keys(const std::vector<Row>& rows) {
  std::vector<std::string> keys;
  for (const Row& row : rows) {
    const Json parameters = parameters_of(row.point);
    for (const auto& [key, value] : parameters.items()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
    if (!keys.empty()) break;  // all rows of a sweep have the same
  }
  return keys;
}

std::string csv(const std::vector<Row>& rows, const std::vector<std::int64_t>* dominated_by) {
  const std::vector<std::string> keys = parameter_keys(rows);
  std::string text = dominated_by ? "id,front,dominated_by,status" : "id,status";
  text += ",workload,machine";
  for (const std::string& key : keys) text += "," + cell(key);
  for (const MetricInfo& metric : kMetricTable) text += std::string(",") + metric.name;
  text += ",engine,verified,reason,key\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    text += std::to_string(row.point.id);
    if (dominated_by) {
      const std::int64_t by = (*dominated_by)[i];
      text += by == -1 ? ",1," : ",0,";
      if (by >= 0) text += std::to_string(rows[static_cast<std::size_t>(by)].point.id);
    }
    text += std::string(",") + kPointStatusNames[static_cast<std::size_t>(row.status)] + "," +
            cell(row.point.workload) + "," + cell(row.point.machine);
    const Json parameters = parameters_of(row.point);
    for (const std::string& key : keys) {
      const Json value = parameters.value(key, Json());
      text += "," + cell(value.is_string() ? value.get<std::string>() : value.dump());
    }
    for (const MetricInfo& metric : kMetricTable) {
      text += ",";
      if (row.status == PointStatus::kDone) text += number(row.metrics.*metric.member);
    }
    text +=
        "," + row.engine + "," + row.verified + "," + cell(row.reason) + "," + row.point.key + "\n";
  }
  return text;
}

}  // namespace

std::string points_csv(const std::vector<Row>& rows) { return csv(rows, nullptr); }

std::string front_csv(const std::vector<Row>& rows, const std::vector<std::int64_t>& dominated_by) {
  return csv(rows, &dominated_by);
}

std::string points_json(const SweepStore& store) {
  std::string text = "{\n\"schema\": \"bitpulse/sweep-points/1\",\n\"sweep\": ";
  const std::string sweep = store.note("sweep");
  if (!Json::accept(sweep)) {
    throw Error(ErrorKind::kInvalidInput,
                "database: found \"" + printable(sweep) + "\", expected the sweep it is of");
  }
  text += sweep + ",\n\"points\": [";
  bool first = true;
  store.for_each([&](const Row& row) {
    Json point = {{"id", row.point.id},
                  {"key", row.point.key},
                  {"workload", row.point.workload},
                  {"machine", row.point.machine},
                  {"parameters", parameters_of(row.point)},
                  {"scope", row.point.scope},
                  {"status", kPointStatusNames[static_cast<std::size_t>(row.status)]},
                  {"engine", row.engine}};
    if (row.status == PointStatus::kDone) {
      for (const MetricInfo& metric : kMetricTable) {
        const std::string value = number(row.metrics.*metric.member);
        point[metric.name] = Json::parse(value);
      }
      point["verified"] = row.verified;
    } else {
      point["reason"] = row.reason;
    }
    text += (first ? "\n" : ",\n") + point.dump();
    first = false;
  });
  return text + "\n]\n}\n";
}

std::string describe(const PointIdentity& point) {
  std::string text = std::to_string(point.id) + ": " + point.workload + " on " + point.machine;
  const Json parameters = parameters_of(point);
  for (const auto& [key, value] : parameters.items()) {
    text += ", " + key + "=" + value.dump();
  }
  return text;
}

}  // namespace bitpulse
