// SPDX-License-Identifier: Apache-2.0
#pragma once

// Weights to begin a training with where none are given.

#include <cstdint>

#include "models/graph.h"

namespace bitpulse {

/// He-normal convolutions and linear layers (He et al., ICCV 2015: deviation sqrt(2 / fan-in)),
/// zero biases, batch norms that pass what they see.
Weights initial_weights(const Graph& graph, std::uint64_t seed);

}  // namespace bitpulse
