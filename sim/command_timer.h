// SPDX-License-Identifier: Apache-2.0
#pragma once

// Times of commands one by one, in the order of their numbers: what the compiler compares tilings
// by. Every predecessor of a command has a lower number, and so has every command before it in its
// queue, so the times are those of a run of the whole program.

#include <cstdint>

#include "sim/program.h"

namespace bitpulse {

class CommandTimer {
 public:
  virtual ~CommandTimer() = default;

  /// Cycles for which the array could have gone on but for predecessors.
  std::uint64_t array_waited() const { return array_waited_; }
  /// Back to an idle machine in cycle 0.
  virtual void reset() = 0;

  // Each returns the finish of the next command; `ready` is the latest finish of its predecessors.

  /// Its patterns, which only `banked` memory needs, are in `program`.
  virtual std::uint64_t dma(const Program& program, const DmaCommand& command,
                            std::uint64_t ready) = 0;
  virtual std::uint64_t array(const FoldNest& nest, std::uint64_t ready) = 0;
  virtual std::uint64_t vector(std::uint64_t elements, std::uint32_t passes,
                               std::uint64_t ready) = 0;

 protected:
  std::uint64_t array_waited_ = 0;
};

}  // namespace bitpulse
