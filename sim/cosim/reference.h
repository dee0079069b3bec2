// SPDX-License-Identifier: Apache-2.0
#pragma once

// The reference executor beside a run: the input of a range of layers, and the check that an
// engine's integers are the reference's.

#include <optional>
#include <string>

#include "quant/integer/executor.h"
#include "sim/engine.h"
#include "sim/program.h"

namespace bitpulse {

/// In which order the program's machine adds, for each layer of the network.
std::vector<LayerAccumulation> accumulation_of(const Program& program, std::size_t network_layers);

/// Runs the program's layers on the reference executor in the program's order of additions; every
/// stored tensor is kept.
ExecuteResult run_reference(const Program& program, const IntegerNetwork& network,
                            const TensorCodes& inputs, int threads);

/// The first tensor element or overflow count that differs, in words; nothing where all agree.
std::optional<std::string> first_difference(const Program& program, const IntegerNetwork& network,
                                            const RunResult& result,
                                            const ExecuteResult& reference);

}  // namespace bitpulse
