// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/constraints.h"

#include <muParser.h>

#include <array>
#include <cmath>
#include <mutex>

#include "models/error.h"
#include "models/text.h"
#include "models/workload.h"
#include "sim/machine.h"

namespace bitpulse {
namespace {

struct Variable {
  const char* name;
  double (*value)(const Machine&, const Workload&, double area_mm2);
};

#define BITPULSE_VARIABLE(name, expression)                                \
  {                                                                        \
    name, [](const Machine& m, const Workload& w, double area) -> double { \
      (void)m, (void)w, (void)area;                                        \
      return static_cast<double>(expression);                              \
    }                                                                      \
  }
const Variable kVariables[] = {
    BITPULSE_VARIABLE("rows", m.array.rows),
    BITPULSE_VARIABLE("cols", m.array.cols),
    BITPULSE_VARIABLE("dataflow", m.array.dataflow),
    BITPULSE_VARIABLE("pe", m.array.pe),
    BITPULSE_VARIABLE("acc_bits", m.array.acc_bits),
    BITPULSE_VARIABLE("act_kib", m.buffers.act_kib),
    BITPULSE_VARIABLE("weight_kib", m.buffers.weight_kib),
    BITPULSE_VARIABLE("out_kib", m.buffers.out_kib),
    BITPULSE_VARIABLE("acc_kib", m.buffers.acc_kib),
    BITPULSE_VARIABLE("lanes", m.vector.lanes),
    BITPULSE_VARIABLE("bytes_per_cycle", m.dram.bytes_per_cycle),
    BITPULSE_VARIABLE("latency_cycles", m.dram.latency_cycles),
    BITPULSE_VARIABLE("clock_mhz", m.clock_mhz),
    BITPULSE_VARIABLE("batch", w.batch),
    BITPULSE_VARIABLE("weight_bits", w.quantization.weights),
    BITPULSE_VARIABLE("act_bits", w.quantization.activations),
    BITPULSE_VARIABLE("area_mm2", area),
};
#undef BITPULSE_VARIABLE

/// What muParser takes, and would not do what it looks like: an assignment, a list, of which only
/// the last counts, and a < b < c, which compares c with 0 or 1. "" where there is none of them.
std::string misleading(const std::string& expression) {
  std::vector<int> comparisons{0};  // since the last && or ||, per open parenthesis
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i], next = i + 1 < expression.size() ? expression[i + 1] : '\0';
    if (c == '(') {
      comparisons.push_back(0);
    } else if (c == ')' && comparisons.size() > 1) {
      comparisons.pop_back();
    } else if (c == ',' && comparisons.size() == 1) {
      return "&& between two conditions instead of a comma";
    } else if (c == ',' || c == '?' || c == ':' || c == '&' || c == '|') {
      comparisons.back() = 0;
    } else if (c == '<' || c == '>' || ((c == '=' || c == '!') && next == '=')) {
      if (next == '=') ++i;
      if (++comparisons.back() > 1) return "&& between two comparisons";
    } else if (c == '=') {
      return "== to compare";
    }
  }
  return "";
}

}  // namespace

struct Constraints::Parsers {
  std::mutex mutex;
  std::array<double, std::size(kVariables)> values{};
  std::vector<mu::Parser> parsers;
  std::vector<std::string> texts;
};

Constraints::Constraints(const std::vector<std::string>& expressions, const std::string& file)
    : parsers_(std::make_unique<Parsers>()) {
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    const std::string found = printable(file, 400) + ": at /constraints/" + std::to_string(i) +
                              ": found \"" + printable(expressions[i]) + "\"";
    if (const std::string meant = misleading(expressions[i]); !meant.empty()) {
      throw Error(ErrorKind::kInvalidInput, found + ", expected " + meant);
    }
    mu::Parser parser;
    for (std::size_t v = 0; v < std::size(kVariables); ++v) {
      parser.DefineVar(kVariables[v].name, &parsers_->values[v]);
    }
    for (const Dataflow flow : {Dataflow::kOs, Dataflow::kWs, Dataflow::kIs}) {
      parser.DefineConst(to_string(flow), static_cast<double>(flow));
    }
    for (const PeKind pe : {PeKind::kInt8, PeKind::kInt4, PeKind::kInt2, PeKind::kFused}) {
      parser.DefineConst(to_string(pe), static_cast<double>(pe));
    }
    try {
      parser.SetExpr(expressions[i]);
      parser.Eval();
    } catch (const mu::Parser::exception_type& error) {
      std::vector<std::string_view> names;
      for (const Variable& variable : kVariables) names.emplace_back(variable.name);
      throw Error(ErrorKind::kInvalidInput, found + " (" + printable(error.GetMsg(), 200) +
                                                "), expected an expression over " + join(names));
    }
    parsers_->parsers.push_back(parser);
    parsers_->texts.push_back(expressions[i]);
  }
}

Constraints::~Constraints() = default;

std::string Constraints::violated(const Machine& machine, const Workload& workload,
                                  double area_mm2) {
  const std::lock_guard<std::mutex> lock(parsers_->mutex);
  for (std::size_t v = 0; v < std::size(kVariables); ++v) {
    parsers_->values[v] = kVariables[v].value(machine, workload, area_mm2);
  }
  for (std::size_t i = 0; i < parsers_->parsers.size(); ++i) {
    const double value = parsers_->parsers[i].Eval();
    if (std::isnan(value) || value == 0) return parsers_->texts[i];
  }
  return "";
}

}  // namespace bitpulse
