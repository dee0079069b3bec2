// SPDX-License-Identifier: Apache-2.0
#pragma once

// Symmetric weights, one scale per output channel, rounded half even.

#include <cstdint>
#include <vector>

#include "models/workload.h"
#include "quant/integer/integer_network.h"
#include "quant/methods/bn_fold.h"

namespace bitpulse {

/// Scale of one channel at `bits`. Min/max and percentile calibration: max|w| / (2^(b-1) - 1)
/// (HAWQ-V3); MSE calibration: the scale of least squared error. One bit is {-1, +1}: mean|w|.
///
/// returns 0 for a channel of zeros
double weight_scale(const float* weights, std::size_t count, int bits,
                    const QuantizationSpec& spec);

/// Codes of all channels: clip(rne(w / scale)).
WeightCodes encode_weights(const FoldedGemm& gemm, const std::vector<std::uint8_t>& bits,
                           const std::vector<double>& scales, bool narrow_range);

/// Scales of all channels, none of them 0: a channel of zeros takes the largest of its layer, and
/// where the bias would not fit 31 bits in units of scale * input_scale the scale grows until it
/// does (channels that training has all but removed).
std::vector<double> weight_scales(const FoldedGemm& gemm, const std::vector<std::uint8_t>& bits,
                                  double input_scale, const QuantizationSpec& spec, int threads);

}  // namespace bitpulse
