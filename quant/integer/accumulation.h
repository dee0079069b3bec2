// SPDX-License-Identifier: Apache-2.0
#pragma once

// In which order, and at which width, the products of one output element are added. The schedule
// produces it, the reference executor and the SystemC array obey it. Values depend on nothing else
// of a machine.

#include <cstdint>
#include <utility>
#include <vector>

namespace bitpulse {

enum class Dataflow : std::uint8_t { kOs, kWs, kIs };
enum class Overflow : std::uint8_t { kWrap, kSaturate };

/// Order of one width group of a GEMM. K' counts groups of `lanes` input channels per kernel
/// position (position-major: kernel row, kernel column, channel group).
///
/// ws, is: every segment [segments[i-1], segments[i]) is one fold: its sum starts at 0, adds one K'
///   element (all lanes, exactly) per row in ascending order, is shifted by the digit pair's
///   weight, and is added to accumulator memory (which starts at 0). With digits, each segment is
///   formed once per digit pair: stationary digit outer (ws: weight, is: activation), streamed
///   digit inner, low digits first.
/// os: every segment is one drain: within it, for each K' element, for each digit pair (weight
///   digit outer, activation digit inner, low first) the product is shifted and added to the sum;
///   the drained sum is added to accumulator memory.
/// Each addition and each shift wraps or saturates at acc_bits, and is counted as an intermediate
/// overflow where its exact result leaves acc_bits. The first addition, of a product to 0, is one
/// like any other; a shift by 0 is none.
struct AccumulationOrder {
  Dataflow dataflow = Dataflow::kOs;
  Overflow overflow = Overflow::kWrap;
  int acc_bits = 32;
  std::int64_t lanes = 1;
  int digit_bits = 0;  // width of a digit; 0: operands are whole
  int act_digits = 1;
  int weight_digits = 1;
  std::vector<std::int64_t> segments;  // ascending ends; the last is K'; empty: one segment
};

/// For each width of a layer's weights its order; a width that is missing, or an empty vector,
/// stands for 32 bits, wrap, one segment.
using LayerAccumulation = std::vector<std::pair<int, AccumulationOrder>>;

/// What did not fit.
struct OverflowCounts {
  std::uint64_t intermediate = 0;  // additions and shifts
  std::uint64_t final_sum = 0;     // output elements whose exact sum, before bias, leaves acc_bits
  std::uint64_t saturations = 0;   // sum + bias, residual clips, stored sums beyond 16 bits
  OverflowCounts& operator+=(const OverflowCounts& o) {
    intermediate += o.intermediate;
    final_sum += o.final_sum;
    saturations += o.saturations;
    return *this;
  }
  friend bool operator==(const OverflowCounts& a, const OverflowCounts& b) {
    return a.intermediate == b.intermediate && a.final_sum == b.final_sum &&
           a.saturations == b.saturations;
  }
};

}  // namespace bitpulse
