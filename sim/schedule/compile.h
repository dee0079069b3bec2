// SPDX-License-Identifier: Apache-2.0
#pragma once

// Integer network and machine to program: width groups, tiles, loop order, double buffering,
// addresses. Needs the structure only.

#include <cstdint>
#include <functional>

#include "quant/integer/integer_network.h"
#include "sim/program.h"

namespace bitpulse {

/// Cycles of a program, mostly of one layer; the compiler compares candidates with it. With `fixed`
/// memory the program has what times follow from and no patterns or tiles.
using ProgramCost = std::function<std::uint64_t(const Program&)>;

struct CompileOptions {
  std::int64_t batch = 1;
  std::int64_t first_layer = 0, last_layer = -1;  // inclusive; -1: to the end
};

/// errors  kInvalidInput where a layer's smallest tile does not fit: layer, need, have, what helps;
///         network and machine disagree on rounding; kLimit: too many tiles or commands
Program compile(const IntegerNetwork& network, const Machine& machine,
                const CompileOptions& options, const ProgramCost& cost);

}  // namespace bitpulse
