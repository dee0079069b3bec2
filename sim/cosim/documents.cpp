// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <sstream>

#include "models/text.h"
#include "sim/cosim/cosim.h"

namespace bitpulse {
namespace {

/// Text as XML 1.0 carries it, in attributes too.
std::string xml(const std::string& text) {
  std::string out;
  for (const char c : printable(text, text.size() + 1)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

nlohmann::ordered_json counts(const CosimResult& result) {
  return {{"commands", result.commands},
          {"cycles", result.cycles},
          {"elements", result.elements},
          {"overflows", result.overflows}};
}

template <class T>
nlohmann::ordered_json or_null(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

/// What a program reads instead of the words of a divergence; null: not known.
nlohmann::ordered_json place_json(const DivergencePlace& place, const std::string& waveform) {
  nlohmann::ordered_json json{{"layer", place.layer},
                              {"command", or_null(place.command)},
                              {"cycle", or_null(place.cycle)},
                              {"rows", nullptr},
                              {"column", nullptr},
                              {"expected", or_null(place.expected)},
                              {"found", or_null(place.found)},
                              {"waveform", nullptr}};
  if (place.pe) {
    json["rows"] = {place.pe->first_row, place.pe->last_row};
    json["column"] = place.pe->column;
  }
  if (!waveform.empty()) json["waveform"] = waveform;
  return json;
}

}  // namespace

std::string cosim_json(const CosimReport& report) {
  nlohmann::ordered_json document{{"schema", "bitpulse/cosim/1"},
                                  {"command", report.command},
                                  {"seed", report.seed},
                                  {"totals", {{"cases", report.cases.size()}}},
                                  {"divergent", report.divergent()},
                                  {"cases", nlohmann::ordered_json::array()}};
  document["totals"].update(counts(report.totals()));
  for (const CosimResult& result : report.cases) {
    nlohmann::ordered_json entry{{"name", result.name}};
    entry.update(counts(result));
    entry["divergence"] = nullptr;
    if (result.divergence) entry["divergence"] = *result.divergence;
    if (result.place) entry["place"] = place_json(*result.place, result.waveform);
    document["cases"].push_back(std::move(entry));
  }
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string cosim_junit(const CosimReport& report) {
  std::ostringstream out;
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"bitpulse cosim\" tests=\""
      << report.cases.size() << "\" failures=\"" << report.divergent()
      << "\" errors=\"0\" skipped=\"0\">\n  <properties><property name=\"seed\" value=\""
      << report.seed << "\"/></properties>\n";
  for (const CosimResult& result : report.cases) {
    out << "  <testcase classname=\"bitpulse.cosim\" name=\"" << xml(result.name) << '"';
    if (result.divergence) {
      out << "><failure message=\"" << xml(*result.divergence) << "\">" << xml(report.command);
      if (result.place) {
        out << '\n' << xml(place_json(*result.place, result.waveform).dump());
      }
      out << "</failure></testcase>\n";
    } else {
      out << "/>\n";
    }
  }
  out << "</testsuite>\n";
  return out.str();
}

std::string cosim_summary(const CosimReport& report) {
  std::ostringstream out;
  const CosimResult totals = report.totals();
  out << report.cases.size() << (report.cases.size() == 1 ? " case, " : " cases, ")
      << totals.commands << " commands, " << totals.cycles << " cycles, " << totals.elements
      << " integers compared: ";
  if (const CosimResult* first = report.first_divergent()) {
    out << report.divergent() << " differ\nfirst: " << first->name << "\n  " << *first->divergence;
    if (!first->waveform.empty()) out << "\n  waves: " << first->waveform;
    if (!first->remark.empty()) out << "\n  " << first->remark;
    out << "\nseed " << report.seed << '\n';
  } else {
    out << "fast, systemc, rtl and the reference executor agree\n";
  }
  return out.str();
}

}  // namespace bitpulse
