// SPDX-License-Identifier: Apache-2.0
#pragma once

// The fake-quant twin: the deployed graph (batch norm folded, bias in its unit, exported
// multipliers) evaluated on integer-valued codes with float64 sums, requantized in int64. A plain
// second implementation that shares no kernel, im2col or epilogue with the executor: the executor's
// integers equal the twin's on every element wherever no overflow is counted.

#include <cstdint>

#include "quant/integer/executor.h"
#include "quant/integer/integer_network.h"

namespace bitpulse {

/// All stored tensors for `batch` images from the input codes.
///
/// errors  kInvalidInput: what validate() refuses, missing inputs
TensorCodes run_twin(const IntegerNetwork& network, TensorCodes tensors, std::int64_t batch,
                     int threads = 1);

}  // namespace bitpulse
