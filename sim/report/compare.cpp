// SPDX-License-Identifier: Apache-2.0
#include "sim/report/compare.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "models/text.h"

namespace bitpulse {
namespace {

constexpr double kMost = 1e300;

/// A number of a report: where it stands and how to print it.
struct Figure {
  const char* title;
  std::vector<const char*> path;
  double unit;
  const char* pattern;
};

const std::array<Figure, 7>& total_figures() {
  static const std::array<Figure, 7> kFigures = {{
      {"cycles", {"cycles"}, 1, "%.0f"},
      {"time (ms)", {"time_ms"}, 1, "%.4g"},
      {"utilization (%)", {"utilization"}, 0.01, "%.2f"},
      {"array waits for memory (cycles)", {"stall_cycles", "array.dma"}, 1, "%.0f"},
      {"DRAM read (bytes)", {"dram_read_bytes"}, 1, "%.0f"},
      {"DRAM written (bytes)", {"dram_write_bytes"}, 1, "%.0f"},
      {"energy (uJ)", {"energy_pj", "total"}, 1e6, "%.4g"},
  }};
  return kFigures;
}

double value_of(JsonValue object, const std::vector<const char*>& path) {
  for (const char* key : path) object = object.at(key);
  return object.number(0, kMost);
}

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

/// "+12.5 %"; from nothing there is no share.
std::string change(double a, double b) {
  if (a == b) return "=";
  if (a == 0) return "new";
  return format("%+.1f %%", 100 * (b - a) / a);
}

/// Text inside a table cell.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : printable(text, text.size() + 1)) {
    if (c == '|' || c == '\\' || c == '`' || c == '<' || c == '*' || c == '_') escaped += '\\';
    escaped += c == '\n' || c == '\r' ? ' ' : c;
  }
  return escaped;
}

std::string bits(const JsonValue& layer) {
  if (layer.at("macs").integer(0, INT64_MAX) == 0) return "";
  const nlohmann::ordered_json& weights = layer.at("weight_bits").raw();
  std::string text;
  if (!weights.is_array()) {
    text = weights.dump();
  } else {
    for (const auto& run : weights) text += (text.empty() ? "" : "+") + run.at(0).dump();
  }
  return std::to_string(layer.at("act_bits").integer(0, 64)) + '/' + text;
}

std::string describe(const JsonValue& report) {
  const JsonValue effective = report.at("effective");
  const auto name = [&](const char* key) {
    const auto found = effective.at(key).find("name");
    return found ? found->text() : "(unnamed)";
  };
  return cell(name("workload") + " on " + name("machine") + ", engine " +
              report.at("engine").text());
}

std::vector<JsonValue> layers_of(const JsonValue& report) {
  std::vector<JsonValue> all;
  const JsonValue layers = report.at("layers");
  for (std::size_t i = 0; i < layers.size(); ++i) all.push_back(layers[i]);
  return all;
}

std::string pair(double a, double b, const char* pattern) {
  return format(pattern, a) + " | " + format(pattern, b) + " | " + change(a, b);
}

std::string layer_row(const JsonValue& a, const JsonValue& b) {
  const std::string bits_a = bits(a), bits_b = bits(b);
  const auto both = [&](const std::vector<const char*>& path, double unit, const char* pattern) {
    return pair(value_of(a, path) / unit, value_of(b, path) / unit, pattern);
  };
  return "| " + cell(a.at("name").text()) + " | " +
         (bits_a == bits_b ? bits_a : bits_a + " → " + bits_b) + " | " +
         both({"cycles"}, 1, "%.0f") + " | " + both({"energy_pj", "total"}, 1e6, "%.4g") + " |\n";
}

}  // namespace

std::string compare_markdown(const JsonValue& a, const JsonValue& b) {
  a.require_schema("bitpulse/report/1");
  b.require_schema("bitpulse/report/1");
  std::string text = "A: " + describe(a) + "  \nB: " + describe(b) + "\n\n";

  text += "| total | A | B | B against A |\n|---|---:|---:|---:|\n";
  for (const Figure& figure : total_figures()) {
    text += std::string("| ") + figure.title + " | " +
            pair(value_of(a.at("totals"), figure.path) / figure.unit,
                 value_of(b.at("totals"), figure.path) / figure.unit, figure.pattern) +
            " |\n";
  }

  std::map<std::string, JsonValue> in_b;
  for (const JsonValue& layer : layers_of(b)) in_b.emplace(layer.at("name").text(), layer);
  std::string only_a;
  text +=
      "\n| layer | bits a/w | cycles A | cycles B | | energy A (uJ) | energy B (uJ) | |\n"
      "|---|---|---:|---:|---:|---:|---:|---:|\n";
  for (const JsonValue& layer : layers_of(a)) {
    const auto other = in_b.find(layer.at("name").text());
    if (other == in_b.end()) {
      only_a += "- only in A: " + cell(layer.at("name").text()) + '\n';
      continue;
    }
    text += layer_row(layer, other->second);
    in_b.erase(other);
  }
  std::string only_b;
  for (const JsonValue& layer : layers_of(b)) {
    if (in_b.count(layer.at("name").text()) != 0) {
      only_b += "- only in B: " + cell(layer.at("name").text()) + '\n';
    }
  }
  if (!only_a.empty() || !only_b.empty()) text += '\n' + only_a + only_b;
  return text;
}

}  // namespace bitpulse
