// SPDX-License-Identifier: Apache-2.0
#pragma once

// Times of commands one by one, in the order of their numbers: what the compiler compares tilings
// by. Every predecessor of a command has a lower number, and so has every command before it in its
// queue, so the times are those of a run of the whole program.

#include <cstdint>

#include "sim/program.h"

namespace bitpulse {

struct CommandTime {
  std::uint64_t start = 0;
  std::uint64_t finish = 0;
  friend bool operator==(CommandTime a, CommandTime b) {
    return a.start == b.start && a.finish == b.finish;
  }
};

struct UnitTimes {
  std::uint64_t dma = 0, array = 0, vector = 0;
};
/// Cycles for which units could have gone on but for predecessors.
struct UnitWaits {
  std::uint64_t dma = 0, array = 0;
};

class CommandTimer {
 public:
  virtual ~CommandTimer() = default;

  /// Back to an idle machine in cycle 0.
  virtual void reset() = 0;

  /// The next command, whose predecessors' latest finish is `ready`.
  virtual CommandTime issue(const Program& program, const Command& command,
                            std::uint64_t ready) = 0;

  // The same by unit, for commands that no program has; each returns the finish.

  /// Its patterns, which only `banked` memory needs, are in `program`.
  virtual std::uint64_t dma(const Program& program, const DmaCommand& command,
                            std::uint64_t ready) = 0;
  virtual std::uint64_t array(const FoldNest& nest, std::uint64_t ready) = 0;
  virtual std::uint64_t vector(std::uint64_t elements, std::uint32_t passes,
                               std::uint64_t ready) = 0;

  virtual UnitWaits waited() const = 0;

  // With `fixed` memory, where time can be skipped. The units' times, and what kind of array
  // command was the last, are all that later times depend on.

  /// From when on each unit may go on, or later: what is ready before delays no command.
  virtual UnitTimes times() const = 0;
  /// All units are so many cycles later, of which they have waited for some.
  virtual void skip(std::uint64_t cycles, UnitWaits waited) = 0;
};

}  // namespace bitpulse
