// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/verilated_ports.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>

#include "models/error.h"
#include "models/text.h"

namespace bitpulse::rtl {
namespace {

struct Port {
  bool is_output = false;
  int bits = 1;
};
using Ports = std::map<std::string, Port>;

Ports expected_ports(const ArrayShape& shape) {
  const int word = shape.operand_width();
  return {{"clk_i", {false, 1}},
          {"rst_ni", {false, 1}},
          {"acc_format_i", {false, 7}},
          {"act_ctrl_i", {false, 10}},
          {"act_i", {false, shape.rows * word}},
          {"weight_ctrl_i", {false, 14}},
          {"weight_i", {false, shape.cols * word}},
          {"valid_o", {true, shape.cols}},
          {"psum_o", {true, shape.cols * 32}},
          {"overflow_o", {true, shape.cols * 32}}};
}

/// Lines like "VL_INW(&act_i,95,0,3);" and "VL_OUT8(valid_o,6,0);".
Ports found_ports(const std::string& header) {
  Ports ports;
  std::istringstream stream(header);
  for (std::string line; std::getline(stream, line);) {
    const std::size_t macro = line.find_first_not_of(' ');
    const std::size_t open = line.find('(');
    if (macro == std::string::npos || open == std::string::npos) continue;
    const bool input = line.compare(macro, 5, "VL_IN") == 0;
    const bool output = line.compare(macro, 6, "VL_OUT") == 0;
    const std::size_t name = line.find_first_not_of("(&", open);
    const std::size_t comma = line.find(',', open);
    int high = 0, low = 0;
    if ((!input && !output) || comma == std::string::npos ||
        std::sscanf(line.c_str() + comma, ",%d,%d", &high, &low) != 2) {
      continue;
    }
    ports[line.substr(name, comma - name)] = {output, std::abs(high - low) + 1};
  }
  return ports;
}

std::string described(const Port& port) {
  return std::string(port.is_output ? "an output" : "an input") + " of " +
         std::to_string(port.bits) + (port.bits == 1 ? " bit" : " bits");
}

}  // namespace

void check_ports(const std::string& header, const ArrayRecipe& recipe) {
  const Ports expected = expected_ports(recipe.shape), found = found_ports(header);
  const auto fail = [&recipe](const std::string& name, const std::string& what,
                              const std::string& wanted) {
    return Error(ErrorKind::kInvalidInput, "module " + printable(recipe.top()) + " as " +
                                               recipe.label() + ": port " + printable(name) +
                                               ": found " + what + ", expected " + wanted);
  };
  for (const auto& [name, port] : expected) {
    const auto at = found.find(name);
    if (at == found.end()) throw fail(name, "none", described(port));
    if (at->second.is_output != port.is_output || at->second.bits != port.bits) {
      throw fail(name, described(at->second), described(port));
    }
  }
  for (const auto& [name, port] : found) {
    if (expected.count(name) == 0) throw fail(name, described(port), "no such port");
  }
}

}  // namespace bitpulse::rtl
