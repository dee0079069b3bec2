// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a trained model to integers: weight codes as they were trained, batch norms folded into
// scales and biases, activation scales as learned. Only 16-bit residual streams, which training
// leaves real, are measured on images. HAWQ-V3 takes the activation scales from here and quantizes
// its folded weights as post-training quantization does (see ptq.h).

#include "models/io/images.h"
#include "models/workload.h"
#include "quant/integer/integer_network.h"
#include "quant/methods/activation_scales.h"

namespace bitpulse {

/// lower(workload) with parameters.
///
/// model   weights and steps as bitpulse-train writes them
/// errors  kInvalidInput: a tensor is missing or does not fit; a recipe with layers that stay
///         float; a ratio of scales that no multiplier expresses, naming layer and channel
IntegerNetwork quantize_learned(const Workload& workload, const Weights& model,
                                const ImageSet& calibration, int threads);

/// Scales as the model has learned them; the others are measured behind its quantizers.
ActivationScales learned_activation_scales(const Workload& workload, const Lowering& lowering,
                                           const Weights& model, const ImageSet& calibration,
                                           int threads);

}  // namespace bitpulse
