// SPDX-License-Identifier: Apache-2.0
#pragma once

// A run whose values matter: the workload's first images are encoded and the engine computes with
// them.

#include <optional>
#include <string>

#include "models/workload.h"
#include "sim/cli/progress.h"
#include "sim/engine.h"

namespace bitpulse {

struct ValueRun {
  RunResult result;
  std::optional<std::string> difference;  // from the reference executor, where it was asked for
};

/// Runs the program on the workload's first `batch` images. Where the program starts at a later
/// layer, the reference executor brings them there in the machine's order of additions.
///
/// network  with parameters, of the structure the program was compiled from
/// check    compare every stored integer and overflow count with the reference executor's
ValueRun run_with_values(Engine& engine, const Program& program, const Workload& workload,
                         const IntegerNetwork& network, bool check, int threads,
                         Progress& progress);

}  // namespace bitpulse
