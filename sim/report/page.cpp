// SPDX-License-Identifier: Apache-2.0
#include "sim/report/page.h"

#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "models/error.h"
#include "sim/report/page_assets.h"
#include "sim/timeline.h"

namespace bitpulse {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMostCycles = std::uint64_t{1} << 53;

/// JSON inside a script element: no "<" can end the element or open a comment.
std::string inert(const Json& document) {
  std::string text;
  for (const char c : document.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

/// The template with each @NAME@ replaced; what is put in is not searched again.
std::string filled(std::string_view page,
                   const std::vector<std::pair<std::string_view, std::string_view>>& parts) {
  std::string text;
  for (const auto& [name, content] : parts) {
    const std::size_t at = page.find(name);
    text += page.substr(0, at);
    text += content;
    page.remove_prefix(at + name.size());
  }
  return text += page;
}

std::string page(const Json& document, std::string_view script) {
  if (!pages_are_built_in()) {
    throw Error(ErrorKind::kUsage,
                "no chart library was found when this program was built; install libjs-chart.js "
                "and build again");
  }
  const std::string scripts = std::string(kCommonScript).append("\n").append(script);
  return filled(kPage, {{"@STYLE@", kPageStyle},
                        {"@DATA@", inert(document)},
                        {"@CHART@", kChartLibrary},
                        {"@SCRIPT@", scripts}});
}

/// Slices by unit as [start, length, layer, name], and the counters' points.
Json compact(const JsonValue& timeline) {
  const JsonValue about = timeline.at("otherData");
  Json slices = Json::array({Json::array(), Json::array(), Json::array()});
  Json names = Json::array();
  std::map<std::string, std::size_t> numbers;
  Json counters = Json::object();
  const JsonValue events = timeline.at("traceEvents");
  const auto most = static_cast<std::int64_t>(kMostCycles);
  for (std::size_t i = 0; i < events.size(); ++i) {
    const JsonValue event = events[i];
    const std::string phase = event.at("ph").text();
    if (phase == "C") {
      const JsonValue value = event.at("args").object_items().front().second;
      counters[event.at("name").text()].push_back(
          {event.at("ts").integer(0, most), value.number(0, 1e300)});
    } else if (phase == "X" && event.at("args").has("command")) {
      const std::string name = event.at("name").text();
      const auto [number, is_new] = numbers.try_emplace(name, names.size());
      if (is_new) names.push_back(name);
      const auto unit = static_cast<std::size_t>(event.at("tid").integer(2, 4) - 2);
      slices[unit].push_back({event.at("ts").integer(0, most), event.at("dur").integer(0, most),
                              event.at("args").at("layer").integer(0, 1 << 30), number->second});
    }
  }
  return {{"cycles", about.at("cycles").integer(0, most)},
          {"commands", about.at("commands").integer(0, most)},
          {"shown", about.at("commands_shown").integer(0, most)},
          {"slices", std::move(slices)},
          {"names", std::move(names)},
          {"counters", std::move(counters)}};
}

/// The quality of each node's last tensor.
Json quality(const JsonValue& eval) {
  eval.require_schema("bitpulse/evaluation/1");
  Json layers = Json::array();
  const JsonValue tensors = eval.at("tensors");
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    layers.push_back(
        {{"layer", tensors[i].at("node").text()}, {"sqnr_db", tensors[i].at("sqnr_db").raw()}});
  }
  return layers;
}

}  // namespace

bool pages_are_built_in() { return !kChartLibrary.empty(); }

std::string run_page(const JsonValue& report, const std::optional<JsonValue>& timeline,
                     const std::optional<JsonValue>& eval) {
  report.require_schema("bitpulse/report/1");
  Json document = {{"report", report.raw()}};
  if (timeline) {
    document["timeline"] = compact(*timeline);
    const auto cycles = static_cast<std::int64_t>(kMostCycles);
    if (document["timeline"]["cycles"] != report.at("totals").at("cycles").integer(0, cycles)) {
      timeline->at("otherData").at("cycles").fail("the cycles of " + report.file());
    }
  }
  if (eval) document["compare"] = quality(*eval);
  return page(document, kRunScript);
}

std::string sweep_page(const JsonValue& sweep) {
  sweep.require_schema("bitpulse/sweep-points/1");
  bool has_results = false;
  const JsonValue points = sweep.at("points");
  for (std::size_t i = 0; i < points.size() && !has_results; ++i) {
    has_results = points[i].at("status").text() == "done";
  }
  if (!has_results) points.fail("at least one point that is done");
  return page({{"sweep", sweep.raw()}}, kSweepScript);
}

}  // namespace bitpulse
