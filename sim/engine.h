// SPDX-License-Identifier: Apache-2.0
#pragma once

// The engine interface and the timing contract (sim/README.md, sections 4 and 5).
//
// - Cycle 0 is the first cycle of the run; all commands stand in their queues then. A command with
//   start s and finish f occupies its unit in cycles s .. f-1; a successor may start at f.
// - A command starts when it heads its queue and all its predecessors have finished; dma and vector
//   run one command at a time; the array issues by section 4's rule (overlap) or one at a time.
// - An operand presented to PE(0,0) in cycle t reaches PE(i,j) in cycle t+i+j. An output is done at
//   the edge that writes row R-1's output register.
// - ws, is: start is the first preload, as late as possible; os: the first stream start. finish is
//   the latest of the folds' last outputs. A fold of r x c streaming T costs r + T + R + c - 2 (ws,
//   is) or T + R + r + c - 2 (os) alone: 2R + C + T - 2 when full.
// - dma, fixed: latency_cycles + ceil(bytes / bytes_per_cycle); moves on chip, with any memory:
//   ceil(bytes / array rows). vector: 4 + passes *
//   ceil(elements / lanes).

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "quant/integer/executor.h"
#include "quant/integer/integer_network.h"
#include "sim/command_timer.h"
#include "sim/counters.h"
#include "sim/program.h"

namespace bitpulse {

/// Values for a run: the network with parameters and the input codes. An engine that needs none
/// (fast) ignores it; one that computes values runs timing only without it.
struct Operands {
  const IntegerNetwork* network = nullptr;
  const TensorCodes* inputs = nullptr;  // filled for the tensors that exist before the run
  bool keep_all_tensors = false;        // else only the network's outputs are returned
};

struct RunResult {
  std::vector<CommandTime> times;  // one per command
  std::vector<Counters> layers;    // one per layer of the program
  bool has_values = false;
  TensorCodes tensors;  // empty vectors where not kept
};

class Engine {
 public:
  virtual ~Engine() = default;
  /// errors  Error(kInternal) when no command can make progress, naming the command and the
  ///         predecessor it waits for
  virtual RunResult run(const Program& program, const Operands& operands) = 0;
  virtual const char* name() const = 0;
};

}  // namespace bitpulse
