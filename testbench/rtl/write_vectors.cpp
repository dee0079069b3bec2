// SPDX-License-Identifier: Apache-2.0
// Writes the vectors that testbench/rtl/replay/ replays: inputs of MACs, PEs, arrays, the
// accumulator bank and the requantizer, with what plain C++ makes of them.
//   write_vectors DIR      DIR/<bench>.hex, and one line per bench: name, parameters of `replay`

#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "testbench/rtl/array_vectors.h"
#include "testbench/rtl/output_vectors.h"

namespace bitpulse::rtl {
namespace {

void write(const std::string& dir, const std::string& name, const std::string& kind,
           const std::vector<Line>& lines, const std::string& parameters) {
  std::ofstream file(dir + "/" + name + ".hex");
  for (const Line& line : lines) file << line.hex() << '\n';
  std::cout << name << " Kind=\"" << kind << "\" Vectors=" << lines.size()
            << " InWidth=" << lines.front().inputs() << " OutWidth=" << lines.front().outputs()
            << parameters << '\n';
}

std::string parameter(const char* name, int value) {
  return std::string(" ") + name + "=" + std::to_string(value);
}

}  // namespace
}  // namespace bitpulse::rtl

int main(int argc, char** argv) {
  using namespace bitpulse;
  using namespace bitpulse::rtl;
  if (argc != 2) {
    std::cerr << "usage: write_vectors DIR\n";
    return 2;
  }
  const std::string dir = argv[1];
  const auto operands = [](const ArrayShape& shape) {
    return parameter("OperandWidth", shape.operand_width());
  };
  for (const PeKind pe : {PeKind::kInt8, PeKind::kInt4, PeKind::kInt2, PeKind::kFused}) {
    const ArrayShape shape{pe, false, 1, 1};
    const std::string name = std::string("mac_") + to_string(pe);
    write(dir, name, "mac", mac_lines(shape, 20000), operands(shape));
    if (pe != PeKind::kFused) {
      write(dir, name + "_pairs", "mac", pair_lines(shape), operands(shape));
    }
  }
  for (const bool os : {false, true}) {
    const std::string flow = os ? "os" : "ws";
    // The counter of overflows is narrow where it must count far, or cannot, to reach its end.
    const int overflow_width = os ? 6 : 32;
    for (const PeKind pe : {PeKind::kInt8, PeKind::kFused}) {
      const ArrayShape shape{pe, os, 1, 1};
      write(dir, "pe_" + flow + "_" + to_string(pe), "pe_" + flow, pe_lines(shape, overflow_width),
            operands(shape) + parameter("OverflowWidth", overflow_width));
    }
    const auto array = [&](const ArrayShape& shape, int width, int most_count, bool rolled) {
      const std::string name = flow + "_" + to_string(shape.pe) + "_" + std::to_string(shape.rows) +
                               "x" + std::to_string(shape.cols) + (rolled ? "_rolled" : "");
      write(dir, name, "array_" + flow, array_lines(shape, width, most_count),
            operands(shape) + parameter("Rows", shape.rows) + parameter("Cols", shape.cols) +
                parameter("OverflowWidth", width) + parameter("Rolled", rolled));
    };
    array({PeKind::kInt8, os, 3, 2}, os ? overflow_width : 2, 1023, false);
    for (const PeKind pe : {PeKind::kInt8, PeKind::kFused}) {
      array({pe, os, 4, 4}, 32, 3, false);
      array({pe, os, 3, 2}, 32, os ? 2 : 1023, true);
    }
  }
  write(dir, "acc_bank", "acc_bank", acc_bank_lines(3, 4000), parameter("Cols", 3));
  write(dir, "requantizer", "requantizer", requantizer_lines(2, 20000), parameter("Cols", 2));
  return 0;
}
