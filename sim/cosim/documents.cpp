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
      out << "><failure message=\"" << xml(*result.divergence) << "\">" << xml(report.command)
          << "</failure></testcase>\n";
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
    out << report.divergent() << " differ\nfirst: " << first->name << "\n  " << *first->divergence
        << "\nseed " << report.seed << '\n';
  } else {
    out << "fast, systemc, rtl and the reference executor agree\n";
  }
  return out.str();
}

}  // namespace bitpulse
