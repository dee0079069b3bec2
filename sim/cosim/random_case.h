// SPDX-License-Identifier: Apache-2.0
#pragma once

// Random cases for comparing engines: a few small layers with values, compiled for a random machine
// whose array is one of those that every build with RTL has, or for a given machine. A case follows
// from its seed and number alone.

#include <cstdint>
#include <optional>
#include <string>

#include "quant/integer/executor.h"
#include "quant/integer/integer_network.h"
#include "sim/program.h"

namespace bitpulse {

struct RandomCase {
  std::string name;  // number, array and layers, for people
  IntegerNetwork network;
  TensorCodes inputs;
  Program program;  // at least one array command
};

/// Case `number` of `seed`: arrays of 1x1 to 16x16, any PE, dataflow, accumulator width, overflow
/// rule and overlap, buffers from 1 KiB; convolutions with groups, several weight widths and
/// operands up to 16 bits, between pools and residual adds.
///
/// machine  instead of a random one
/// errors   Error(kInvalidInput): no small layer fits `machine`
RandomCase random_case(std::uint64_t seed, std::int64_t number,
                       const std::optional<Machine>& machine = std::nullopt);

}  // namespace bitpulse
