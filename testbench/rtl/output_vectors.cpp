// SPDX-License-Identifier: Apache-2.0
#include "testbench/rtl/output_vectors.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <random>

#include "testbench/rtl/random_operands.h"
#include "testbench/rtl/reference_requantizer.h"

namespace bitpulse::rtl {
namespace {

using reference::pick;

constexpr std::uint32_t kWords = 8;  // of a lane, as testbench/rtl/replay/device.sv has it

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

}  // namespace

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

}  // namespace bitpulse::rtl
