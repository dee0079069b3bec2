// SPDX-License-Identifier: Apache-2.0
#pragma once

// Post-training quantization: BN folding, per-channel symmetric weights, calibrated activations,
// dyadic requantizers. HAWQ-V3 (Yao et al., ICML 2021) comes to its integers the same way, also
// from a training: batch norms are folded before the weights are quantized.

#include "models/io/images.h"
#include "models/workload.h"
#include "quant/integer/integer_network.h"

namespace bitpulse {

/// lower(workload) with parameters.
///
/// weights      of a method that has learned: with its steps, as bitpulse-train writes them
/// calibration  images the ranges are measured on (seeded ones for a workload without data)
/// errors       kInvalidInput: a ratio of scales that no multiplier expresses, naming layer and
///              channel; weights that do not fit the graph
IntegerNetwork quantize_ptq(const Workload& workload, const Weights& weights,
                            const ImageSet& calibration, int threads);

}  // namespace bitpulse
