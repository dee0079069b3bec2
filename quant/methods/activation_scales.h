// SPDX-License-Identifier: Apache-2.0
#pragma once

// Scales of everything between the layers: stored tensors, residual sums, low-bit main branches.
// Measured on real images, or taken from a network that was quantized before.

#include <string>
#include <vector>

#include "models/io/images.h"
#include "quant/float/float_executor.h"
#include "quant/lower.h"

namespace bitpulse {

struct ActivationScales {
  std::vector<double> tensors;  // by stored tensor; 0 for raw 32-bit ones
  /// By layer, 0 without a residual. 16-bit stream: of the sum. Low bit: of the main branch's code.
  std::vector<double> residuals;
};

/// One forward pass in float over the calibration images.
///
/// Scales are chosen by the calibration rule; method "hawq" averages the ranges of batches instead
/// (see hawq.h), but for 16-bit tensors, whose codes are clipped here and not in the authors' code.
/// A 16-bit copy of a residual sum has the scale of the sum, and a tensor that only a max-pool
/// reads has the scale of what it becomes, so that both are plain copies.
///
/// images  of the network's input; inputs of another shape take seeded images
///
/// filter  replaces what is measured behind it; may be empty
ActivationScales calibrate(const Workload& workload, const Lowering& lowering,
                           const Weights& weights, const ImageSet& images, int threads,
                           const OperandFilter& filter = {});

/// Scales of a saved network of the same structure.
///
/// errors  kInvalidInput where its tensors have other names, shapes or widths
ActivationScales frozen_scales(const IntegerNetwork& frozen, const IntegerNetwork& structure,
                               const std::string& folder);

}  // namespace bitpulse
