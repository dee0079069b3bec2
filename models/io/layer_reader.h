// SPDX-License-Identifier: Apache-2.0
#pragma once

// Layers as they are written in a workload: in an inline graph {"inputs": {name: [C, H, W]},
// "nodes": [layer + "inputs": [names]], "outputs": [names]}, or in a list of independent layers,
// each with its own input "in" (a gemm with "m" and "k").

#include <string>

#include "models/graph.h"
#include "models/io/json.h"

namespace bitpulse {

/// A name that can be printed: 1..256 characters, no control characters.
std::string read_name(const JsonValue& json);

/// errors  kInvalidInput, kLimit with file and pointer: unknown keys and kinds, values out of
/// range,
///         names that do not exist, nodes nobody reads, shapes that do not fit
Graph read_inline_graph(const JsonValue& network);
Graph read_layer_list(const JsonValue& network);

}  // namespace bitpulse
