// SPDX-License-Identifier: Apache-2.0
#pragma once

// Random fold lists and what must come of them: values by plain sums in the order of the contract,
// cycles by the closed forms of sim/README.md, section 4.

#include <algorithm>
#include <random>
#include <vector>

#include "sim/rtl/array_driver.h"
#include "testbench/rtl/reference_array.h"

namespace bitpulse::rtl::reference {

/// Writes `word` as the operand word of `lane`.
inline void put_word(std::uint32_t* words, int lane, int width, std::uint32_t word) {
  const int bit = lane * width;
  words[bit / 32] |= word << (bit % 32);
}

inline std::uint32_t get_word(const std::uint32_t* words, int lane, int width) {
  const int bit = lane * width;
  const std::uint32_t mask = width == 32 ? ~0u : (1u << width) - 1;
  return (words[bit / 32] >> (bit % 32)) & mask;
}

struct FoldLimits {
  int max_stream = 12;
  bool late = false;         // folds may be held back by predecessors
  bool digit_passes = true;  // os: shifts and formats change with every element
};

template <class Random>
int pick(Random& random, int from, int to) {
  return std::uniform_int_distribution<int>(from, to)(random);
}

template <class Random>
Format pick_format(Random& random, const ArrayShape& shape) {
  constexpr int kWidths[] = {2, 4, 8};
  const bool is_signed = pick(random, 0, 1) != 0;
  return {is_signed, shape.pe == PeKind::kFused ? kWidths[pick(random, 0, 2)] : 8};
}

/// An operand word: random, or all operands at the extremes.
template <class Random>
std::uint32_t pick_word(Random& random, int width) {
  const std::uint32_t mask = width == 32 ? ~0u : (1u << width) - 1;
  switch (pick(random, 0, 7)) {
    case 0:
      return mask;
    case 1:
      return mask & 0x80808080u;
    case 2:
      return mask & 0x7f7f7f7fu;
    default:
      return static_cast<std::uint32_t>(random()) & mask;
  }
}

template <class Random>
Fold random_fold(Random& random, const ArrayShape& shape, const FoldLimits& limits,
                 std::uint64_t now) {
  Fold fold;
  // Full, minimal and random extents, a third each.
  const auto extent = [&](int most) {
    const int kind = pick(random, 0, 2);
    return kind == 0 ? most : kind == 1 ? 1 : pick(random, 1, most);
  };
  fold.rows = extent(shape.rows);
  fold.cols = extent(shape.cols);
  fold.stream = extent(limits.max_stream);
  fold.act_format = pick_format(random, shape);
  fold.weight_format = pick_format(random, shape);
  if (limits.late && pick(random, 0, 3) == 0) {
    fold.ready = now + static_cast<std::uint64_t>(pick(random, 0, 60));
  }
  const int width = shape.operand_width();
  fold.acts.assign(static_cast<std::size_t>(fold.stream) * shape.act_words(), 0);
  for (int t = 0; t < fold.stream; ++t) {
    std::uint32_t* words = fold.acts.data() + static_cast<std::size_t>(t) * shape.act_words();
    for (int i = 0; i < fold.rows; ++i) put_word(words, i, width, pick_word(random, width));
  }
  const int weight_lines = shape.output_stationary ? fold.stream : fold.rows;
  fold.weights.assign(static_cast<std::size_t>(weight_lines) * shape.weight_words(), 0);
  for (int n = 0; n < weight_lines; ++n) {
    std::uint32_t* words = fold.weights.data() + static_cast<std::size_t>(n) * shape.weight_words();
    for (int j = 0; j < fold.cols; ++j) put_word(words, j, width, pick_word(random, width));
  }
  if (shape.output_stationary && limits.digit_passes && pick(random, 0, 1) == 0) {
    for (int t = 0; t < fold.stream; ++t) {
      const int shift = pick(random, 0, 1) == 0 ? 0 : pick(random, 0, 28);
      fold.elements.push_back({pick_format(random, shape), pick_format(random, shape), shift});
    }
  }
  return fold;
}

/// The sum of output (line, j): line is the stream element (ws) or the row (os).
inline Sum expected_sum(const ArrayShape& shape, const Fold& fold, int line, int j,
                        AccFormat format) {
  const int width = shape.operand_width();
  Sum sum;
  const int terms = shape.output_stationary ? fold.stream : fold.rows;
  for (int n = 0; n < terms; ++n) {
    const int t = shape.output_stationary ? n : line, i = shape.output_stationary ? line : n;
    const std::uint32_t act =
        get_word(fold.acts.data() + static_cast<std::size_t>(t) * shape.act_words(), i, width);
    const std::uint32_t weight = get_word(
        fold.weights.data() + static_cast<std::size_t>(n) * shape.weight_words(), j, width);
    ElementFormat element{fold.act_format, fold.weight_format, 0};
    if (!fold.elements.empty()) element = fold.elements[static_cast<std::size_t>(t)];
    sum = accumulate(sum, product(shape, act, element.act, weight, element.weight), element.shift,
                     format);
  }
  return sum;
}

/// Stream start of every fold, the array being free from cycle `now` on.
inline std::vector<std::int64_t> expected_starts(const ArrayShape& shape,
                                                 const std::vector<Fold>& folds, bool overlap,
                                                 std::uint64_t now) {
  const bool os = shape.output_stationary;
  std::vector<std::int64_t> starts;
  std::int64_t start = 0, free = static_cast<std::int64_t>(now);
  for (std::size_t f = 0; f < folds.size(); ++f) {
    const Fold& fold = folds[f];
    const auto ready = static_cast<std::int64_t>(fold.ready);
    const std::int64_t r = fold.rows, T = fold.stream, preload = os ? 0 : r;
    if (f == 0 || !overlap) {
      start = std::max(free, ready) + preload;
    } else {
      const std::int64_t r1 = folds[f - 1].rows, T1 = folds[f - 1].stream;
      start = os ? std::max(start + std::max(T1, r1 + T1 - T), ready)
                 : std::max(start + std::max(T1, r), ready + r);
    }
    starts.push_back(start);
    free = start + T + shape.rows + fold.cols - 2 + (os ? r : 0);
  }
  return starts;
}

/// The cycle in which output (line, j) is there first: the last one of a fold T + R + c - 2 (ws) or
/// T + R + r + c - 2 (os) cycles after its start, the others each column one cycle earlier, each
/// element (ws) one cycle earlier, each row (os) one cycle later the higher it is.
inline std::int64_t expected_cycle(const ArrayShape& shape, const Fold& fold, std::int64_t start,
                                   int line, int j) {
  const std::int64_t last =
      start + fold.stream + shape.rows + fold.cols - 2 + (shape.output_stationary ? fold.rows : 0);
  const int lines_before_last =
      shape.output_stationary ? line : fold.stream - 1 - line;  // os: row 0 leaves last
  return last - (fold.cols - 1 - j) - lines_before_last;
}

}  // namespace bitpulse::rtl::reference
