// SPDX-License-Identifier: Apache-2.0
#pragma once

// The same images as real inputs of the float network and as codes of the integer network. Inputs
// whose shape is not that of the images (independent layers, second inputs) take seeded ones.

#include <cstdint>
#include <vector>

#include "models/io/images.h"
#include "models/workload.h"
#include "quant/float/float_executor.h"
#include "quant/integer/executor.h"

namespace bitpulse {

/// Images first .. first+count-1, one batch per input of the graph.
std::vector<FloatBatch> float_inputs(const Workload& workload, const ImageSet& images,
                                     std::int64_t first, std::int64_t count);

/// The codes of the network's input tensors for the same images.
TensorCodes input_codes(const Workload& workload, const IntegerNetwork& network,
                        const ImageSet& images, std::int64_t first, std::int64_t count);

/// Images per batch that keep the largest activation within 64 MiB of floats.
std::int64_t float_batch_size(const Graph& graph);

}  // namespace bitpulse
