// SPDX-License-Identifier: Apache-2.0
// Writes the vectors that Icarus Verilog replays: MAC steps with what plain integers make of them,
// and cycles of arrays with what the Verilated rolled arrays show at their edges.
//   write_vectors DIR      DIR/<bench>.hex, and one line per bench: name, module, parameters

#include <cstdint>
#include <fstream>
#include <functional>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "testbench/rtl/fold_lists.h"

namespace bitpulse::rtl {
namespace {

/// A vector of fields, the first in the top bits, as $readmemh reads it.
class Line {
 public:
  void put(std::uint64_t value, int bits) {
    for (int b = bits - 1; b >= 0; --b) bits_.push_back(((value >> b) & 1) != 0);
  }
  /// `words` as one field, the first word lowest.
  void put(const std::uint32_t* words, int bits) {
    for (int b = bits - 1; b >= 0; --b) bits_.push_back(((words[b / 32] >> (b % 32)) & 1) != 0);
  }
  std::string hex() const {
    std::string text;
    unsigned digit = 0;
    for (std::size_t n = 0; n < bits_.size(); ++n) {
      digit = digit * 2 + (bits_[n] ? 1 : 0);
      if ((bits_.size() - n) % 4 == 1) {
        text += "0123456789abcdef"[digit];
        digit = 0;
      }
    }
    return text;
  }

 private:
  std::vector<bool> bits_;
};

void write(const std::string& dir, const std::string& name, const std::string& module,
           const std::vector<Line>& lines, const std::string& parameters) {
  std::ofstream file(dir + "/" + name + ".hex");
  for (const Line& line : lines) file << line.hex() << '\n';
  std::cout << name << ' ' << module << " Vectors=" << lines.size() << ' ' << parameters << '\n';
}

Line mac_line(const ArrayShape& shape, std::uint32_t act, Format act_format, std::uint32_t weight,
              Format weight_format, std::int64_t psum, int shift, AccFormat format) {
  const auto sum = reference::accumulate(
      {psum, 0}, reference::product(shape, act, act_format, weight, weight_format), shift, format);
  const int width = shape.operand_width();
  Line line;
  line.put(format.pack(), 7);
  line.put(static_cast<std::uint64_t>(shift), 5);
  line.put(act_format.pack(), 3);
  line.put(act, width);
  line.put(weight_format.pack(), 3);
  line.put(weight, width);
  line.put(static_cast<std::uint32_t>(psum), 32);
  line.put(static_cast<std::uint32_t>(sum.value), 32);
  line.put(sum.overflows, 2);
  return line;
}

/// Fixed MACs: every pair of operands under every signedness, then random steps.
std::vector<Line> mac_lines(const ArrayShape& shape, int random_steps) {
  std::mt19937 random(8);
  std::vector<Line> lines;
  if (shape.pe != PeKind::kFused) {
    const std::uint32_t codes = 1u << shape.operand_width();
    for (unsigned signs = 0; signs < 4; ++signs) {
      for (std::uint32_t pair = 0; pair < codes * codes; ++pair) {
        lines.push_back(mac_line(shape, pair / codes, {(signs & 1) != 0, 8}, pair % codes,
                                 {(signs & 2) != 0, 8}, 0, 0, {false, 32}));
      }
    }
  }
  for (int n = 0; n < random_steps; ++n) {
    const AccFormat format{random() % 2 == 0, 8 + static_cast<int>(random() % 25)};
    const auto psum = reference::fit(static_cast<std::int32_t>(random()), {false, format.bits});
    lines.push_back(mac_line(shape, reference::pick_word(random, shape.operand_width()),
                             reference::pick_format(random, shape),
                             reference::pick_word(random, shape.operand_width()),
                             reference::pick_format(random, shape), psum.value,
                             random() % 2 == 0 ? 0 : static_cast<int>(random() % 32), format));
  }
  return lines;
}

/// Random inputs in every cycle, a reset now and then.
std::vector<Line> array_lines(const ArrayShape& shape, int cycles) {
  const auto model = make_array_model(shape);
  const int width = shape.operand_width();
  std::mt19937 random(9);
  std::vector<Line> lines;
  std::vector<std::uint32_t> acts(shape.act_words()), weights(shape.weight_words());
  AccFormat format;
  for (int n = 0; n < cycles; ++n) {
    const bool reset = n % 200 == 0;
    if (reset) {
      format = {random() % 2 == 0, 8 + static_cast<int>(random() % 25)};
      model->reset();
      model->set_format(format);
    }
    const int act_bits = shape.rows * width, weight_bits = shape.cols * width;
    for (std::uint32_t& word : acts) word = static_cast<std::uint32_t>(random());
    for (std::uint32_t& word : weights) word = static_cast<std::uint32_t>(random());
    const ActCtrl act{
        random() % 4 != 0, random() % 4 == 0,
        shape.output_stationary && random() % 4 == 0 ? static_cast<int>(random() % 32) : 0,
        reference::pick_format(random, shape)};
    const WeightCtrl weight{random() % 3 == 0, reference::pick(random, 0, shape.rows - 1),
                            reference::pick_format(random, shape)};
    model->step({act.pack(), weight.pack(), acts.data(), weights.data()});
    const EdgeOutputs& edge = model->outputs();
    Line line;
    line.put(reset, 1);
    line.put(format.pack(), 7);
    line.put(act.pack(), 10);
    line.put(acts.data(), act_bits);
    line.put(weight.pack(), 14);
    line.put(weights.data(), weight_bits);
    for (std::size_t j = edge.valid.size(); j-- > 0;) line.put(edge.valid[j], 1);
    for (std::size_t j = edge.psum.size(); j-- > 0;)
      line.put(static_cast<std::uint32_t>(edge.psum[j]), 32);
    for (std::size_t j = edge.overflow.size(); j-- > 0;) line.put(edge.overflow[j], 32);
    lines.push_back(line);
  }
  return lines;
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
  for (const PeKind pe : {PeKind::kInt8, PeKind::kInt4, PeKind::kInt2, PeKind::kFused}) {
    const ArrayShape shape{pe, false, 1, 1};
    write(dir, std::string("mac_") + to_string(pe), "mac_replay", mac_lines(shape, 20000),
          "OperandWidth=" + std::to_string(shape.operand_width()));
  }
  for (const bool output_stationary : {false, true}) {
    for (const ArrayShape& shape : {ArrayShape{PeKind::kInt8, output_stationary, 1, 1},
                                    ArrayShape{PeKind::kFused, output_stationary, 4, 4}}) {
      write(dir, array_model_name(shape), "array_replay", array_lines(shape, 3000),
            "OutputStationary=" + std::to_string(output_stationary) +
                " OperandWidth=" + std::to_string(shape.operand_width()) +
                " Rows=" + std::to_string(shape.rows) + " Cols=" + std::to_string(shape.cols));
    }
  }
  return 0;
}
