// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether a network is one that can be executed: every id, extent, width and range that the
// executor relies on. A network read from disk or made by hand is checked once; what has passed
// needs no check inside.

#include "quant/integer/integer_network.h"

namespace bitpulse {

/// errors  kInvalidInput naming layer or tensor, what was found and what was expected; kLimit for
///         extents beyond kMaxDim and kMaxElements
void validate(const IntegerNetwork& network);

}  // namespace bitpulse
