// SPDX-License-Identifier: Apache-2.0
#include "testbench/rtl/array_vectors.h"

#include <algorithm>
#include <random>

#include "testbench/rtl/random_operands.h"
#include "testbench/rtl/reference_array.h"

namespace bitpulse::rtl {
namespace {

using reference::pick;

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

}  // namespace

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

}  // namespace bitpulse::rtl
