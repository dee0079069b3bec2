// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whole networks with made-up parameters, for runs in which only the integers matter: weights over
// the full range of their width, multipliers that spread each value over the range of its store.

#include <cstdint>
#include <string>

#include "models/workload.h"
#include "quant/integer/executor.h"
#include "quant/integer/integer_network.h"

namespace bitpulse {

/// A built-in network at `weights` and `activations` bits with seeded parameters.
IntegerNetwork seeded_network(const std::string& name, std::uint8_t weights,
                              std::uint8_t activations, std::uint64_t seed);

/// A workload's network with seeded parameters in place of its own.
IntegerNetwork seeded_network(const Workload& workload, std::uint64_t seed);

/// Random codes for the tensors that exist before a run.
TensorCodes seeded_inputs(const IntegerNetwork& network, std::int64_t batch, std::uint64_t seed);

}  // namespace bitpulse
