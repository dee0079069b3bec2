// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which tensors may stay in the activation buffer (section 10): those that the program has all
// producers of, all readers behind them, and that the network does not give out.

#include <cstdint>
#include <vector>

#include "quant/integer/integer_network.h"
#include "sim/program.h"

namespace bitpulse {

/// They live from their first producer to their last reader; not yet placed. In the order of their
/// first producers; of one producer those that live longest first, so that they find low places.
///
/// plans    of the program's layers
std::vector<KeptTensor> keepable_tensors(const IntegerNetwork& network,
                                         const std::vector<LayerPlan>& plans, std::int64_t batch);

}  // namespace bitpulse
