// SPDX-License-Identifier: Apache-2.0
#pragma once

// A run as a timeline that Perfetto (ui.perfetto.dev) and chrome://tracing open: the JSON object
// form of Google's "Trace Event Format". One track per unit and one for the layers; on a unit's
// track a slice per layer holds the slices of its commands; counter tracks show the array's
// utilization, DRAM traffic and how full the buffers are. One microsecond of the trace is one
// clock cycle.

#include <cstddef>
#include <string>

#include "sim/engine.h"
#include "sim/program.h"
#include "sim/timeline.h"

namespace bitpulse {

struct TraceLimits {
  std::size_t slices = 100'000;  // of commands; layers always have theirs
  std::size_t samples = 500;     // of each counter
};

struct Trace {
  std::string json;
  std::size_t commands = 0;  // in the program
  std::size_t shown = 0;     // with a slice of their own: the first ones
};

/// times  one per command of `program`
Trace make_trace(const Program& program, const RunResult& result, const Timeline& timeline,
                 const std::string& title, const TraceLimits& limits = {});

}  // namespace bitpulse
