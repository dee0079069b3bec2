// SPDX-License-Identifier: Apache-2.0
#pragma once

// Integer network and machine to program: width groups, tiles, loop order, double buffering,
// addresses. Needs the structure only.

#include <cstdint>
#include <memory>

#include "quant/integer/integer_network.h"
#include "sim/command_timer.h"
#include "sim/program.h"

namespace bitpulse {

/// An engine's timer, by which the compiler compares candidates.
using MakeTimer = std::unique_ptr<CommandTimer> (*)(const Machine&);

struct CompileOptions {
  std::int64_t batch = 1;
  std::int64_t first_layer = 0, last_layer = -1;  // inclusive; -1: to the end
};

/// errors  kInvalidInput where a layer's smallest tile does not fit: layer, need, have, what helps;
///         network and machine disagree on rounding; kLimit: too many tiles or commands
Program compile(const IntegerNetwork& network, const Machine& machine,
                const CompileOptions& options, MakeTimer make_timer);

}  // namespace bitpulse
