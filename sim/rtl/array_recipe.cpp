// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/array_recipe.h"

#include "models/text.h"

namespace bitpulse::rtl {

const char* to_string(Trace trace) {
  switch (trace) {
    case Trace::kNone:
      return "none";
    case Trace::kVcd:
      return "vcd";
    case Trace::kFst:
      return "fst";
  }
  return "";
}

std::string ArrayRecipe::top() const {
  if (!user.name.empty()) return user.top;
  return shape.output_stationary ? "array_top_os" : "array_top_ws";
}

std::vector<std::string> ArrayRecipe::parameters() const {
  if (!user.name.empty()) return user.parameters;
  return {"OperandWidth=" + std::to_string(shape.operand_width()),
          "Rows=" + std::to_string(shape.rows), "Cols=" + std::to_string(shape.cols),
          std::string("Rolled=1'b") + (shape.structural ? "0" : "1")};
}

std::string ArrayRecipe::label() const {
  return (user.name.empty() ? "" : user.name + "_") + array_model_name(shape) +
         (trace == Trace::kNone ? "" : std::string("_") + to_string(trace));
}

std::string ArrayRecipe::command() const {
  std::string line = "bitpulse rtl build";
  const auto option = [&line](const char* name, const std::string& value) {
    line += std::string(" --") + name + ' ' + shell_quoted(value);
  };
  option("rows", std::to_string(shape.rows));
  option("cols", std::to_string(shape.cols));
  option("pe", bitpulse::to_string(shape.pe));
  option("dataflow", shape.output_stationary ? "os" : "ws");
  if (shape.structural) line += " --structural";
  if (!native) line += " --portable";
  if (trace != Trace::kNone) option("trace", to_string(trace));
  if (user.name.empty()) return line;
  option("name", user.name);
  option("top", user.top);
  for (const std::string& source : user.sources) option("source", source);
  for (const std::string& folder : user.include_folders) option("include", folder);
  for (const std::string& parameter : user.parameters) option("parameter", parameter);
  return line;
}

}  // namespace bitpulse::rtl
