// SPDX-License-Identifier: Apache-2.0
#pragma once

// Loops over tiles of which many only repeat others, moved on: a trial that finds itself in the
// same state a period later knows what the next periods will take.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/tiling.h"

namespace bitpulse {

struct LayerTiles;

/// Which tiles of a list are the ones `period` before moved on, always by the same way, so that
/// all they load and store has the same size.
struct Repeats {
  std::size_t period = 0;          // even, as buffers have two slots; 0: none are
  std::vector<std::uint32_t> end;  // by tile: the first after it that is not; itself: it is not

  /// Whether the tiles before `i` and up to two periods behind it are.
  bool reach_on(std::size_t i) const {
    return i > 0 && i + 2 * period <= end.size() && end[i - 1 + period] >= i + 2 * period;
  }
};

/// Finds those of all lists, for `fixed` memory, where only sizes matter.
void find_repeats(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                  const Tiling& tiling, LayerTiles& tiles);

/// for_tiles where some repeat; apart from it, so that plain loops stay small in their callers.
template <class Body, class Checkpoint, class Repeat>
[[gnu::noinline]] void for_repeating_tiles(std::size_t count, const Repeats& repeats,
                                           const bool& is_over, Body&& body,
                                           Checkpoint&& checkpoint, Repeat&& repeat) {
  decltype(checkpoint(0)) last;
  std::size_t due = 0;  // when `last` is to be compared; 0: there is none
  for (std::size_t i = 0; i < count && !is_over; ++i) {
    if (i == due && i > 0) {
      const auto now = checkpoint(i);
      due = 0;
      if (now.state == last.state) {
        const std::size_t periods = (repeats.end[i - 1] - i) / repeats.period;
        repeat(last, now, periods);
        i += periods * repeats.period;
        if (i == count) return;
      } else if (repeats.reach_on(i)) {
        last = now;
        due = i + repeats.period;
      }
    } else if (due == 0 && repeats.reach_on(i)) {
      last = checkpoint(i);
      due = i + repeats.period;
    }
    body(i);
  }
}

/// Calls body(i) for all of `count` tiles until `is_over`. Between tiles it takes checkpoint(i);
/// where one has the state of the one a period before, repeat(that, this, periods) stands for as
/// many periods as only repeat it.
template <class Body, class Checkpoint, class Repeat>
void for_tiles(std::size_t count, const Repeats& repeats, const bool& is_over, Body&& body,
               Checkpoint&& checkpoint, Repeat&& repeat) {
  if (repeats.period > 0) {
    for_repeating_tiles(count, repeats, is_over, body, checkpoint, repeat);
  } else {
    for (std::size_t i = 0; i < count && !is_over; ++i) body(i);
  }
}

}  // namespace bitpulse
