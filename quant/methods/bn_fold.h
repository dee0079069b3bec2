// SPDX-License-Identifier: Apache-2.0
#pragma once

// Batch norms folded into the convolution before them: W' = f * W, b' = (b - mean) * f + beta with
// f = gamma / sqrt(var + eps). Weights are quantized after folding, so that scales stay positive
// where gamma is negative (Yao et al., "HAWQ-V3", ICML 2021).

#include <vector>

#include "quant/lower.h"

namespace bitpulse {

/// Real weights [out][kh][kw][in / groups] (the layout of WeightCodes) and biases of a layer.
struct FoldedGemm {
  std::vector<float> weights;
  std::vector<double> bias;
  std::size_t channels() const { return bias.size(); }
  std::size_t per_channel() const { return weights.size() / bias.size(); }
};

/// The parameters of a layer of the lowering that has weights.
///
/// errors  kInvalidInput: a tensor is missing or does not fit, naming it
FoldedGemm fold_batch_norms(const Graph& graph, const Lowering& lowering, std::size_t layer,
                            const Weights& weights);

}  // namespace bitpulse
