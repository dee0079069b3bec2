// SPDX-License-Identifier: Apache-2.0
#pragma once

// The arithmetic that a trained model will have as integers, for its last training: batch norms as
// constants, biases in units of the accumulator (8 bits where LLSQ adds them so), scales as 8-bit
// multipliers with one shift (Zhao et al., LLSQ, ICLR 2020, the authors' deployment). The numbers
// are those of export_parameters(). What is known only after training stays real: 16-bit streams,
// and pools, whose inputs are such streams.

#include <map>
#include <utility>
#include <vector>

#include "quant/placement.h"

namespace bitpulse {

/// The real value of a layer with weights, deployed:
///   correction[c] * (sum * norm_factor[c] + unit[c] * clip(round(bias[c] / unit[c])))
struct DeployedLayer {
  std::size_t site = 0;             // in Placement::weights
  std::vector<double> units;        // of the bias, by channel
  CodeRange bias;                   // codes
  std::vector<double> corrections;  // multiplier / real ratio of scales, by channel
};

struct DeployedArithmetic {
  std::vector<DeployedLayer> layers;
  /// Low-bit residuals: what an operand of the add is multiplied by, by (add, input).
  std::map<std::pair<NodeId, std::size_t>, double> operands;
};

/// Scales that were learned; 0 where none is yet, which leaves its layers real.
struct LearnedScales {
  std::vector<std::vector<double>> weights;  // by weight site and channel, batch norms included
  std::vector<double> activations;           // by activation site
};

/// errors  kInvalidInput naming the layer where a ratio of scales has no multiplier
DeployedArithmetic deployed_arithmetic(const Workload& workload, const Lowering& lowering,
                                       const Placement& placement, const LearnedScales& scales);

/// Codes of the biases of a layer: 8 bits for low-bit operands where LLSQ's multipliers are chosen
/// (its narrow accumulators), else 32.
CodeRange bias_codes(const QuantizationSpec& spec, int weight_bits, int input_bits);

/// What the batch norms behind a layer multiply its channels by; may be negative.
std::vector<double> norm_factors(const Graph& graph, const std::vector<NodeId>& norms,
                                 const Weights& model, std::size_t channels);

}  // namespace bitpulse
