// SPDX-License-Identifier: Apache-2.0
#pragma once

// Integer network and machine to program: width groups, tiles, loop order, double buffering,
// addresses. Needs the structure only.

#include <cstdint>
#include <memory>
#include <vector>

#include "quant/integer/integer_network.h"
#include "sim/command_timer.h"
#include "sim/counters.h"
#include "sim/program.h"
#include "sim/schedule/tally.h"
#include "sim/timeline.h"

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

/// What a run of the compiled network does, without the commands it would take.
struct CountedRun {
  Program program;               // but for commands and what belongs to them
  std::vector<Counters> layers;  // by layer of the program, as `dram_bytes`
  std::vector<std::uint64_t> dram_bytes;
  Timeline timeline;
};

/// Chooses as compile() does and counts what a run would, with `fixed` memory only: layers add up
/// then, and of tiles that only repeat others the first few tell. Equals compiling, running and
/// accounting.
///
/// count   the engine's whose timer `make_timer` makes
/// errors  compile()'s
CountedRun count_run(const IntegerNetwork& network, const Machine& machine,
                     const CompileOptions& options, MakeTimer make_timer, CountCommand count);

}  // namespace bitpulse
