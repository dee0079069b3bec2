// SPDX-License-Identifier: Apache-2.0
#pragma once

// What computes vector commands beside the vector unit's own arithmetic: Verilated lanes, for
// example. The vector unit hands it every command with the operands that it took from the buffers;
// sums it takes from its own accumulator memory.

#include <cstdint>
#include <optional>
#include <vector>

#include "quant/integer/integer_network.h"
#include "sim/program.h"

namespace bitpulse {

/// A vector command with its operands. Its elements are [pixel][column], densely.
struct VectorJob {
  CommandId id = 0;
  const VectorCommand* command = nullptr;
  const IntegerLayer* layer = nullptr;
  Rounding rounding = Rounding::kHalfUp;
  std::int64_t pixels = 0;
  std::vector<std::int64_t> channels;  // of the layer, by column
  std::int64_t windows = 1;            // codes that form a value: a pool's window
  std::int32_t max_code = 0;           // of the input, where it has none below 0; else -1
  std::vector<std::int32_t> codes;     // [window][elements]; empty: values are sums
  std::vector<std::int32_t> identity;  // [elements], where the layer adds one

  std::size_t columns() const { return channels.size(); }
  std::size_t elements() const { return static_cast<std::size_t>(pixels) * columns(); }
};

/// What came out.
struct VectorOutcome {
  std::uint64_t cycles = 0;
  std::vector<std::int32_t> sums;                 // [elements], where values are sums
  std::vector<std::vector<std::int32_t>> stores;  // each [elements]
  std::uint64_t saturations = 0;
};

class VectorBackend {
 public:
  virtual ~VectorBackend() = default;
  /// Begins a program.
  virtual void reset(const Program& program) = 0;
  /// Computes a command, whose sums are complete; nothing where it cannot.
  virtual std::optional<VectorOutcome> run(const VectorJob& job) = 0;
};

}  // namespace bitpulse
