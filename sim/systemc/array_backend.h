// SPDX-License-Identifier: Apache-2.0
#pragma once

// What takes the place of the array's wavefront model: a clocked array, Verilated RTL for example.
// The array unit hands it every command with the operands it read from the buffers, clocks it, and
// learns from it when a command has finished and with which sums.

#include <cstdint>
#include <optional>
#include <vector>

#include "quant/integer/kernels.h"
#include "sim/engine.h"

namespace bitpulse {

/// An array command with its operands.
struct ArrayJob {
  CommandId id = 0;
  const ArrayCommand* command = nullptr;
  const WidthGroup* group = nullptr;
  GemmSpec spec;
  std::int64_t codes = 0;             // of K per output channel in the tile
  std::vector<std::int32_t> acts;     // [group][m][codes], padding included
  std::vector<std::int32_t> weights;  // [group][n][codes]
};

/// What became of it.
struct ArrayOutcome {
  CommandId id = 0;
  CommandTime time;
  std::vector<std::int32_t> sums;  // accumulator memory after it: [group][m][n]
  std::uint64_t overflows = 0;     // additions and shifts that left acc_bits
};

class ArrayBackend {
 public:
  virtual ~ArrayBackend() = default;
  /// Begins a program, at cycle 0.
  virtual void reset(const Program& program) = 0;
  /// Queues a command whose predecessors have finished by `cycle`, which is not yet clocked.
  virtual void submit(ArrayJob job, std::uint64_t cycle) = 0;
  virtual bool busy() const = 0;
  /// Clocks one cycle.
  virtual void step() = 0;
  /// A command that has finished, oldest first; nothing where there is none.
  virtual std::optional<ArrayOutcome> take() = 0;
};

}  // namespace bitpulse
