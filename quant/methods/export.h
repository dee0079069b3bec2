// SPDX-License-Identifier: Apache-2.0
#pragma once

// From real scales to the integers of a network: weight codes, biases in units of the accumulator,
// requantizers, clamps, input tables. Every method ends here, whatever chose its scales.

#include <vector>

#include "quant/lower.h"
#include "quant/methods/activation_scales.h"

namespace bitpulse {

/// A quantized layer: real weight = code * scale[channel].
struct GemmParameters {
  WeightCodes codes;
  std::vector<double> scales;
  std::vector<double> bias;  // real
};

/// Fills `lowering.network`.
///
/// gemms   by layer; unused for layers without weights
/// errors  kInvalidInput naming layer and channel where a ratio of scales has no multiplier
void export_parameters(const Workload& workload, const std::vector<GemmParameters>& gemms,
                       const ActivationScales& scales, Lowering& lowering);

/// The parameters of one layer, as export_parameters fills them.
void export_layer(const Workload& workload, std::size_t layer, const GemmParameters& gemm,
                  const ActivationScales& scales, Lowering& lowering);

}  // namespace bitpulse
