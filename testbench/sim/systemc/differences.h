// SPDX-License-Identifier: Apache-2.0
#pragma once

// Comparisons of the systemc engine with the fast engine (times, counters) and with the reference
// executor (integers, overflow counts). Each returns a sentence about the first difference, or
// "same".

#include <string>

#include "quant/integer/executor.h"
#include "sim/engine.h"

namespace bitpulse {

/// Times and counters of two engines' runs of one program.
std::string difference(const RunResult& fast, const RunResult& systemc);

/// Runs a program with values and compares every tensor and overflow count with the reference;
/// `overflows` is increased by the overflows there were. Times and all other counters must be
/// those of the fast engine.
std::string value_difference(const Program& program, const IntegerNetwork& network,
                             const TensorCodes& inputs, std::uint64_t& overflows);

}  // namespace bitpulse
