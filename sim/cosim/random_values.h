// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small random networks with parameters: chains of layers of every kind that read one another's
// tensors, for comparing values.

#include "quant/integer/network_builder.h"

namespace bitpulse {

/// One to four layers: convolutions (groups, depthwise, kernel-wise widths), pools, sums; residual
/// adds of both kinds (of inputs and of earlier layers), concat slices, space-to-depth, several
/// stores, signed and unsigned codes.
NetworkBuilder random_value_network(std::uint64_t seed);

}  // namespace bitpulse
