// SPDX-License-Identifier: Apache-2.0
#pragma once

// Widths of each node: the method's default, then the exception for the first and last GEMM layer,
// then the patterns of "layers", later ones winning.

#include <cstdint>
#include <vector>

#include "models/workload.h"

namespace bitpulse {

struct NodeWidths {
  std::uint8_t activations = 8;   // of the node's input
  std::vector<WidthRun> weights;  // of its output channels; empty for a node without weights
};

/// True where '*' (any run of characters) and '?' (one) make `pattern` equal to `name`.
bool matches(std::string_view pattern, std::string_view name);

/// Output channels of a convolution, linear or gemm layer; 0 for other kinds.
std::int64_t weight_channels(const Layer& layer);

/// One entry per node.
///
/// errors  kInvalidInput: a width outside 1..16, a pattern that matches no layer, runs that do not
///         cover the channels
std::vector<NodeWidths> node_widths(const Workload& workload);

}  // namespace bitpulse
