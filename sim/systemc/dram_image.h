// SPDX-License-Identifier: Apache-2.0
#pragma once

// Between values and the bytes of DRAM: the contents a run starts with (tensors NHWC, each pixel
// padded to whole bytes; weights packed per WeightBlock) and the tensors it leaves behind.

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/engine.h"

namespace bitpulse {

/// Moves bytes to an address, or from it.
using PutBytes = std::function<void(std::uint64_t address, std::vector<std::uint8_t>& bytes)>;
using GetBytes = std::function<void(std::uint64_t address, std::vector<std::uint8_t>& bytes)>;

/// Writes all weight blocks and the tensors that exist before the run.
///
/// errors  Error(kInvalidInput): a tensor of another size than its shape times the batch
void write_operands(const Program& program, const Operands& operands, const PutBytes& put);

/// Reads the tensors the program has written: the network's outputs, or all of them (then those
/// that existed before are there too).
TensorCodes read_tensors(const Program& program, const Operands& operands, const GetBytes& get);

}  // namespace bitpulse
