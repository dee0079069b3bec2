// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the rest of a trial depends on, in numbers that say neither when nor where: times relative
// to the units', places relative to the next tile. Two equal states, followed by tiles that are
// equal but for their place, take the same cycles.

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace bitpulse {

/// What later commands wait for: a command's number, in a trial its finish.
using Mark = std::uint64_t;
inline constexpr Mark kNoMark = ~Mark{0};

/// Where a tile begins: in the input, and in the layer's weight blocks.
struct TilePlace {
  std::int64_t row = 0, col = 0, channel = 0, block = 0;
  friend TilePlace operator-(TilePlace a, TilePlace b) {
    return {a.row - b.row, a.col - b.col, a.channel - b.channel, a.block - b.block};
  }
  friend TilePlace operator*(std::int64_t times, TilePlace a) {
    return {times * a.row, times * a.col, times * a.channel, times * a.block};
  }
};

/// What a trial leaves out: everything is so much later, and so much further on.
struct Skip {
  std::uint64_t cycles = 0;
  std::int64_t steps = 0, tiles = 0;
  TilePlace way;

  void apply(Mark& mark) const {
    if (mark != kNoMark) mark += cycles;
  }
};

class TrialState {
 public:
  void add(std::int64_t number) {
    assert(count_ < numbers_.size());
    numbers_[count_++] = number;
  }
  /// A mark that a unit waits for, which goes on at `now` or later: earlier ones are all the same.
  void add(Mark mark, std::uint64_t now) {
    add(mark == kNoMark ? -1 : mark > now ? static_cast<std::int64_t>(mark - now) : 0);
  }
  friend bool operator==(const TrialState& a, const TrialState& b) {
    return std::equal(a.numbers_.data(), a.numbers_.data() + a.count_, b.numbers_.data(),
                      b.numbers_.data() + b.count_);
  }

 private:
  std::array<std::int64_t, 64> numbers_;  // of which `count_` have been added
  std::size_t count_ = 0;
};

}  // namespace bitpulse
