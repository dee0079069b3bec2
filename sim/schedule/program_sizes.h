// SPDX-License-Identifier: Apache-2.0
#pragma once

// Lengths of a program's lists, so that they are allocated once.

#include <cstddef>

#include "sim/program.h"

namespace bitpulse {

struct ProgramSizes {
  std::size_t commands = 0, predecessors = 0, dma = 0, array = 0, vector = 0, patterns = 0,
              outputs = 0, weights = 0;
  ProgramSizes& operator+=(const ProgramSizes& o);
  /// Adds what has come since `before` so many times more.
  void repeat(const ProgramSizes& before, std::size_t times);
};
ProgramSizes sizes_of(const Program& program);
void reserve(Program& program, const ProgramSizes& sizes);

}  // namespace bitpulse
