// SPDX-License-Identifier: Apache-2.0
#pragma once

// The model that was trained, without torch: the float network whose weights and activations are
// rounded to learned grids, in float32, with batch norms and biases as they are: what it computes
// and what the integers do differ by those roundings alone. Where the training ended folded, biases
// and multipliers are those of the integers, too (see deployed_arithmetic.h).

#include <string>
#include <vector>

#include "models/io/images.h"
#include "models/workload.h"
#include "quant/deployed_arithmetic.h"
#include "quant/float/float_executor.h"

namespace bitpulse {

class TrainingModel {
 public:
  /// model   weights and steps as bitpulse-train writes them
  /// errors  kInvalidInput: a weight or step is missing or does not fit, naming it
  TrainingModel(const Workload& workload, const Weights& model, int threads);

  /// As FloatExecutor::run.
  std::vector<FloatBatch> run(const std::vector<FloatBatch>& inputs,
                              const NodeObserver& observer = {});

  /// What the nodes read, quantized.
  OperandFilter filter() const;
  /// The weights on their grids, and all else as it was.
  const Weights& weights() const { return weights_; }

 private:
  TrainingModel(const Workload& workload, const Lowering& lowering, const Weights& model,
                int threads);

  const Placement placement_;
  const std::vector<float> steps_;  // by activation site
  const DeployedArithmetic arithmetic_;
  const Weights weights_;
  FloatExecutor executor_;
  Rounding rounding_;  // of activations; weights round half to even
  int threads_;
};

/// The learned steps of one name.
///
/// count   expected
/// errors  kInvalidInput: missing, of another size, or not positive
std::vector<float> learned_steps(const Weights& model, const std::string& name, std::size_t count);

/// The weight steps of a layer, one per output channel, whatever their number in the model; those
/// of HAWQ-V3 follow from the weights.
std::vector<float> weight_steps(const QuantizationSpec& spec, const Weights& model,
                                const std::string& node, const std::vector<std::uint8_t>& bits);
std::vector<float> learned_weight_steps(const Weights& model, const std::string& node,
                                        std::size_t channels);

}  // namespace bitpulse
