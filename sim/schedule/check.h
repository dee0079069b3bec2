// SPDX-License-Identifier: Apache-2.0
#pragma once

// What must hold for every program, whatever made it: checked in tests over random layers, and
// useful to anyone who writes a compiler of his own.

#include <cstdint>
#include <string>
#include <vector>

#include "quant/integer/integer_network.h"
#include "sim/program.h"

namespace bitpulse {

/// Violations, as sentences naming the command; empty when the program is sound:
///  - predecessors are earlier commands; payloads, patterns and outputs exist
///  - tiles stand inside their halves of the buffers, patterns inside DRAM; tensors kept on chip
///    stand beside each other and below the tiles of the layers they live in, and moves on chip are
///    to and from them
///  - `bytes` of each dma command is what its patterns touch
///  - no access to a buffer meets another one that writes, or is written by it, unless one is
///    known to have finished before the other starts, by predecessors and queue order alone
///  - every code of every tensor that a layer of the program stores is stored exactly once
///  - every product of every GEMM layer is computed exactly once, k in order
std::vector<std::string> validate_program(const Program& program, const IntegerNetwork& network);

}  // namespace bitpulse
