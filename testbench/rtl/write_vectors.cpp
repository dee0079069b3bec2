// SPDX-License-Identifier: Apache-2.0
// Writes the vectors that testbench/rtl/replay/ replays: inputs of MACs, PEs, arrays, the
// accumulator bank and the requantizer, with what plain C++ makes of them.
//   write_vectors DIR      DIR/<bench>.hex, and one line per bench: name, parameters of `replay`

#include <algorithm>
#include <deque>
#include <fstream>
#include <iostream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "testbench/rtl/fold_lists.h"
#include "testbench/rtl/reference_array.h"
#include "testbench/rtl/reference_requantizer.h"

namespace bitpulse::rtl {
namespace {

using reference::pick;

/// A vector of fields, the first in the top bits, as $readmemh reads it: whether it follows a
/// reset, the inputs, the outputs.
class Line {
 public:
  explicit Line(bool reset = false) { put(reset, 1); }

  template <class Value>
  void put(Value value, int bits) {
    const auto word = static_cast<std::uint64_t>(value);
    for (int b = bits - 1; b >= 0; --b) bits_.push_back(((word >> b) & 1) != 0);
  }
  /// One field, the first value in its lowest bits.
  template <class Value>
  void put(const std::vector<Value>& values, int bits) {
    for (std::size_t n = values.size(); n-- > 0;) put(values[n], bits);
  }
  void begin_outputs() { inputs_ = bits_.size() - 1; }

  std::size_t inputs() const { return inputs_; }
  std::size_t outputs() const { return bits_.size() - 1 - inputs_; }
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
  std::size_t inputs_ = 0;
};

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

// ---- random operands ----

bool chance(std::mt19937& random, int of) { return pick(random, 0, of - 1) == 0; }

AccFormat pick_acc_format(std::mt19937& random) {
  const int narrow = pick(random, 2, 12), any = pick(random, 2, 32);
  const int bits[] = {narrow, any, 32};
  return {chance(random, 2), bits[pick(random, 0, 2)]};
}

/// Also for fixed PEs, which hand the width on.
Format pick_any_format(std::mt19937& random) {
  constexpr int kWidths[] = {2, 4, 8};
  return {chance(random, 2), kWidths[pick(random, 0, 2)]};
}

/// A format, or control that ends in one, as a port takes it: 8 bits have a second code.
template <class Control>
std::uint32_t pack(const Control& control, const Format& format, bool second_code) {
  return control.pack() | (second_code && format.bits == 8 ? 1u : 0u);
}

int pick_shift(std::mt19937& random) { return chance(random, 2) ? 0 : pick(random, 0, 31); }

/// 0, any, all but the lowest ones: what makes carries run.
std::uint32_t pick_count(std::mt19937& random) {
  switch (pick(random, 0, 3)) {
    case 0:
      return 0;
    case 1:
      return static_cast<std::uint32_t>(random());
    default:
      return ((2u << pick(random, 0, 31)) - 1) - static_cast<std::uint32_t>(pick(random, 0, 2));
  }
}

/// A sum to which `term` is added: any, one of the format, or one that leads to a limit of it.
std::int32_t pick_psum(std::mt19937& random, std::int64_t term, AccFormat format) {
  const auto any = static_cast<std::int32_t>(random());
  const std::int64_t limit = std::int64_t{1} << (format.bits - 1);
  const std::int64_t target = (chance(random, 2) ? limit : -limit) + pick(random, -2, 1);
  switch (pick(random, 0, 3)) {
    case 0:
      return any;
    case 1:
      return static_cast<std::int32_t>(target - term);
    default:
      return static_cast<std::int32_t>(reference::fit(any, {false, format.bits}).value);
  }
}

// ---- MACs ----

Line mac_line(const ArrayShape& shape, std::uint32_t act, Format act_format, std::uint32_t weight,
              Format weight_format, std::int32_t psum, int shift, AccFormat format,
              bool second_code = false) {
  const auto sum = reference::accumulate(
      {psum, 0}, reference::product(shape, act, act_format, weight, weight_format), shift, format);
  const int width = shape.operand_width();
  Line line;
  line.put(format.pack(), 7);
  line.put(shift, 5);
  line.put(pack(act_format, act_format, second_code), 3);
  line.put(act, width);
  line.put(pack(weight_format, weight_format, second_code), 3);
  line.put(weight, width);
  line.put(psum, 32);
  line.begin_outputs();
  line.put(sum.value, 32);
  line.put(sum.overflows, 2);
  return line;
}

std::vector<Line> mac_lines(const ArrayShape& shape, int steps) {
  std::mt19937 random(8);
  std::vector<Line> lines;
  for (int n = 0; n < steps; ++n) {
    const AccFormat format = pick_acc_format(random);
    const std::uint32_t act = reference::pick_word(random, shape.operand_width());
    const std::uint32_t weight = reference::pick_word(random, shape.operand_width());
    const Format act_format = pick_any_format(random), weight_format = pick_any_format(random);
    const int shift = pick_shift(random);
    const auto term = reference::accumulate(
        {}, reference::product(shape, act, act_format, weight, weight_format), shift, format);
    lines.push_back(mac_line(shape, act, act_format, weight, weight_format,
                             pick_psum(random, term.value, format), shift, format,
                             chance(random, 4)));
  }
  return lines;
}

/// Every pair of operands of a fixed MAC under every signedness.
std::vector<Line> pair_lines(const ArrayShape& shape) {
  std::vector<Line> lines;
  const std::uint32_t codes = 1u << shape.operand_width();
  for (unsigned signs = 0; signs < 4; ++signs) {
    for (std::uint32_t pair = 0; pair < codes * codes; ++pair) {
      lines.push_back(mac_line(shape, pair / codes, {(signs & 1) != 0, 8}, pair % codes,
                               {(signs & 2) != 0, 8}, 0, 0, {false, 32}));
    }
  }
  return lines;
}

// ---- PEs and arrays ----

/// How control comes within a stretch of cycles that begins with a reset.
struct Stretch {
  int cycles = 100;
  int firsts = 4;       // one activation in so many is the first of its fold
  int weights = 3;      // one cycle in so many has a weight or a capture
  int first_count = 0;  // of a weight or capture in cycle 20, when there are sums
  int most_count = 1023;
  bool second_code = false;
  bool narrow = false;  // sums of two bits: a long fold overflows more often than a counter holds
};

/// Dense and sparse control in turn, then counts of every power of two, each left to run out.
std::vector<Stretch> stretches(int dense, int most_count) {
  std::vector<Stretch> list;
  for (int n = 0; n < dense; ++n) {
    Stretch stretch;
    stretch.narrow = n % 8 == 3;
    stretch.most_count = n % 2 == 0 || stretch.narrow ? std::min(most_count, 3) : most_count;
    if (n % 4 == 3) stretch.firsts = 200, stretch.weights = 20;
    stretch.second_code = n % 3 == 0;
    list.push_back(stretch);
  }
  for (int count = 1; count <= most_count; count *= 2) {
    list.push_back({count + 40, 4, 1 << 20, count, most_count});
  }
  return list;
}

ActCtrl pick_act_ctrl(std::mt19937& random, const Stretch& stretch) {
  return {!chance(random, 4), chance(random, stretch.firsts), pick_shift(random),
          pick_any_format(random)};
}

WeightCtrl pick_weight_ctrl(std::mt19937& random, const Stretch& stretch, int cycle) {
  if (cycle == 20 && stretch.first_count > 0) {
    return {true, stretch.first_count, pick_any_format(random)};
  }
  return {chance(random, stretch.weights), pick(random, 0, stretch.most_count),
          pick_any_format(random)};
}

std::vector<Line> pe_lines(const ArrayShape& shape, int overflow_width) {
  std::mt19937 random(10);
  const int width = shape.operand_width();
  std::vector<Line> lines;
  for (const Stretch& stretch : stretches(80, 1023)) {
    reference::Pe pe(shape, overflow_width);
    for (int n = 0; n < stretch.cycles; ++n) {
      const AccFormat format = pick_acc_format(random);
      reference::PePorts in;
      in.act_ctrl = pick_act_ctrl(random, stretch);
      in.act = reference::pick_word(random, width);
      in.weight_ctrl = pick_weight_ctrl(random, stretch, n);
      in.weight = reference::pick_word(random, width);
      in.valid = shape.output_stationary && chance(random, 2);
      in.psum = pick_psum(random, 0, format);
      in.overflow = pick_count(random) & static_cast<std::uint32_t>((1ull << overflow_width) - 1);
      Line line(n == 0);
      const auto put = [&](const reference::PePorts& ports) {
        line.put(pack(ports.act_ctrl, ports.act_ctrl.format, stretch.second_code), 10);
        line.put(ports.act, width);
        line.put(pack(ports.weight_ctrl, ports.weight_ctrl.format, stretch.second_code), 14);
        line.put(ports.weight, width);
        line.put(ports.valid, 1);
        line.put(ports.psum, 32);
        line.put(ports.overflow, overflow_width);
      };
      line.put(format.pack(), 7);
      put(in);
      pe.step(in, format);
      line.begin_outputs();
      put(pe.outputs());
      lines.push_back(line);
    }
  }
  return lines;
}

std::vector<Line> array_lines(const ArrayShape& shape, int overflow_width, int most_count) {
  std::mt19937 random(9);
  const int width = shape.operand_width();
  std::vector<Line> lines;
  std::vector<std::uint32_t> acts(static_cast<std::size_t>(shape.rows));
  std::vector<std::uint32_t> weights(static_cast<std::size_t>(shape.cols));
  int bits = 2;
  for (const Stretch& stretch : stretches(shape.rows * shape.cols < 10 ? 100 : 24, most_count)) {
    const AccFormat format = {chance(random, 2), stretch.narrow ? 2 : bits};
    bits = bits < 32 ? bits + 1 : 2;
    reference::Array array(shape, overflow_width);
    for (int n = 0; n < stretch.cycles; ++n) {
      for (std::uint32_t& word : acts) word = reference::pick_word(random, width);
      for (std::uint32_t& word : weights) word = reference::pick_word(random, width);
      const ActCtrl act = pick_act_ctrl(random, stretch);
      const WeightCtrl weight = pick_weight_ctrl(random, stretch, n);
      array.step(act, acts, weight, weights, format);
      std::vector<bool> valid;
      std::vector<std::int32_t> psum;
      std::vector<std::uint32_t> overflow;
      for (std::size_t j = 0; j < weights.size(); ++j) {
        valid.push_back(array.valid(j));
        psum.push_back(array.bottom(j).psum);
        overflow.push_back(array.bottom(j).overflow);
      }
      Line line(n == 0);
      line.put(format.pack(), 7);
      line.put(act.pack(), 10);
      line.put(acts, width);
      line.put(weight.pack(), 14);
      line.put(weights, width);
      line.begin_outputs();
      line.put(valid, 1);
      line.put(psum, 32);
      line.put(overflow, overflow_width);
      lines.push_back(line);
    }
  }
  return lines;
}

// ---- accumulator bank and requantizer ----

constexpr std::uint32_t kWords = 8;  // of a lane, as testbench/rtl/replay/device.sv has it

std::vector<Line> acc_bank_lines(std::size_t cols, int cycles) {
  std::mt19937 random(11);
  std::vector<Line> lines;
  std::vector<std::vector<std::int64_t>> words(cols, std::vector<std::int64_t>(kWords));
  std::vector<std::uint32_t> taken(cols), counts(cols), read_words(cols);
  std::deque<AccCtrl> waves(cols);  // waves[j]: control at column j, its count as it came
  AccFormat format;
  for (int n = 0; n < cycles; ++n) {
    const bool reset = n % 100 == 0, filling = n < static_cast<int>(kWords);
    if (reset) {
      format = {chance(random, 2), 2 + n / 100 % 31};
      for (std::size_t j = 0; j < cols; ++j) {  // zero at each column
        waves[j] = AccCtrl{};
        waves[j].count = static_cast<int>(j);
      }
      for (auto* registers : {&taken, &counts, &read_words}) registers->assign(cols, 0);
    }
    AccCtrl ctrl{
        filling || !chance(random, 4), !filling && n % 100 > 20 && chance(random, 2),
        pick_shift(random),
        chance(random, 2) ? pick(random, 0, static_cast<int>(cols)) : pick(random, 0, 1023),
        static_cast<std::uint32_t>(pick(random, 0, 32767))};
    if (filling) ctrl.addr = static_cast<std::uint32_t>(n), ctrl.count = static_cast<int>(cols);
    const bool enable = filling || !chance(random, 8);
    if (enable) {
      waves.push_front(ctrl);
      waves.pop_back();
    }
    const bool read = n > 20 && chance(random, 2);
    const auto read_addr = static_cast<std::uint32_t>(pick(random, 0, 32767));
    std::vector<std::int32_t> psums;
    std::vector<std::uint32_t> overflows;
    for (std::size_t j = 0; j < cols; ++j) {
      const AccCtrl& here = waves[j];
      std::int64_t& word = words[j][here.addr % kWords];
      psums.push_back(pick_psum(random, here.accumulate ? word : 0, format));
      overflows.push_back(pick_count(random));
      if (enable && here.valid && j <= static_cast<std::size_t>(here.count)) {
        const auto sum =
            reference::accumulate({here.accumulate ? word : 0, 0}, psums[j], here.shift, format);
        word = sum.value;
        taken[j] = static_cast<std::uint32_t>(sum.value);
        counts[j] = overflows[j] + sum.overflows;
      }
      if (read) read_words[j] = static_cast<std::uint32_t>(words[j][read_addr % kWords]);
    }
    AccCtrl next = waves.back();
    next.valid = next.valid && next.count > static_cast<int>(cols) - 1;
    next.count = (next.count - static_cast<int>(cols)) & 1023;
    Line line(reset);
    line.put(enable, 1);
    line.put(format.pack(), 7);
    line.put(ctrl.pack(), 32);
    line.put(psums, 32);
    line.put(overflows, 32);
    line.put(read, 1);
    line.put(read_addr, 15);
    line.begin_outputs();
    line.put(next.pack(), 32);
    line.put(taken, 32);
    line.put(counts, 32);
    line.put(read_words, 32);
    lines.push_back(line);
  }
  return lines;
}

/// A number whose magnitude is as likely small as large.
std::int32_t pick_wide(std::mt19937& random) {
  return static_cast<std::int32_t>(random()) >> pick(random, 0, 31);
}

reference::LaneInputs pick_lane(std::mt19937& random) {
  reference::LaneInputs lane;
  lane.value = pick_wide(random);
  if (chance(random, 8)) lane.value = (lane.value >> 8) ^ 0x7fffffff;  // near an end
  lane.addend = chance(random, 4) ? 0 : pick_wide(random);
  lane.m = std::max(pick_wide(random), -0x7fffffff);
  lane.m_negative = chance(random, 2) ? lane.m / 10 : pick_wide(random) | 1;
  if (lane.m_negative == std::numeric_limits<std::int32_t>::min()) ++lane.m_negative;
  lane.other = chance(random, 2) ? 0 : pick(random, -65536, 65535);
  lane.other_m = pick_wide(random) >> 1;
  lane.shift = pick(random, 0, 62);
  lane.other_shift = chance(random, 2) ? pick(random, 0, 62) : pick(random, 8, 20);
  if (chance(random, 2)) return lane;
  // A tie: an odd multiple of 2^(shift - 1), and one lower bit beside it.
  lane.shift = pick(random, 1, 61);
  const int tie = lane.shift - 1, of_m = pick(random, std::max(0, tie - 30), std::min(tie, 30));
  const int odd = 2 * pick(random, 0, ((1 << std::min(8, 31 - of_m)) - 1) / 2) + 1;
  lane.value = 1 << (tie - of_m);
  if (chance(random, 2)) lane.value += 1 << pick(random, 0, std::max(0, tie - of_m - 1));
  lane.addend = 0;
  lane.m = (chance(random, 2) ? odd : -odd) * (1 << of_m);
  lane.other = chance(random, 2) ? 0 : 1 << pick(random, 0, 15);
  lane.other_m = 1 << pick(random, 0, 30);
  lane.other_shift = pick(random, 1, 40);
  return lane;
}

LaneCtrl pick_lane_ctrl(std::mt19937& random) {
  LaneCtrl ctrl;
  ctrl.valid = !chance(random, 8);
  ctrl.emit = chance(random, 2);
  ctrl.feedback = chance(random, 2);
  ctrl.maximum = chance(random, 4);
  ctrl.leaky = chance(random, 2);
  ctrl.rounding = static_cast<Rounding>(pick(random, 0, 2));
  ctrl.low_bit = chance(random, 3);
  ctrl.branch = chance(random, 3);
  ctrl.keep = static_cast<Keep>(pick(random, 0, 2));
  return ctrl;
}

std::vector<Line> requantizer_lines(std::size_t lanes, int cycles) {
  constexpr CodeRange kClamps[] = {{-128, 127}, {0, 255},        {0, 15},
                                   {-2, 1},     {-32768, 32767}, reference::kInt32};
  std::mt19937 random(12);
  std::vector<Line> lines;
  reference::Requantizer requantizer(lanes);
  for (int n = 0; n < cycles; ++n) {
    const bool reset = n % 500 == 0;
    if (reset) requantizer = reference::Requantizer(lanes);
    const LaneCtrl ctrl = pick_lane_ctrl(random);
    CodeRange clamp_to = kClamps[pick(random, 0, 5)];
    if (chance(random, 4)) {
      const std::int32_t a = pick_wide(random), b = pick_wide(random);
      clamp_to = {std::min(a, b), std::max(a, b)};
    }
    std::vector<reference::LaneInputs> inputs;
    for (std::size_t l = 0; l < lanes; ++l) inputs.push_back(pick_lane(random));
    requantizer.step(ctrl, clamp_to, inputs);

    Line line(reset);
    line.put(ctrl.pack(), 11);
    line.put(clamp_to.min, 32);
    line.put(clamp_to.max, 32);
    for (const auto member :
         {&reference::LaneInputs::value, &reference::LaneInputs::addend, &reference::LaneInputs::m,
          &reference::LaneInputs::m_negative, &reference::LaneInputs::shift,
          &reference::LaneInputs::other, &reference::LaneInputs::other_m,
          &reference::LaneInputs::other_shift}) {
      std::vector<std::int32_t> words;
      for (const reference::LaneInputs& lane : inputs) words.push_back(lane.*member);
      if (member == &reference::LaneInputs::shift ||
          member == &reference::LaneInputs::other_shift) {
        for (std::int32_t& word : words) word |= pick_wide(random) << 6;  // bits that are not used
      }
      line.put(words, 32);
    }
    line.begin_outputs();
    line.put(requantizer.valid, 1);
    line.put(requantizer.codes, 32);
    line.put(requantizer.saturated, 32);
    line.put(requantizer.clamped, 32);
    line.put(requantizer.above, 32);
    line.put(requantizer.below, 32);
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
