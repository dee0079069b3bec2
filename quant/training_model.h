// SPDX-License-Identifier: Apache-2.0
#pragma once

// The model that was trained, without torch: the float network whose weights and activations are
// rounded to learned grids, in float32, with batch norms and biases as they are. What it computes
// and what the integers do differ by those roundings alone.

#include <string>
#include <vector>

#include "models/io/images.h"
#include "models/workload.h"
#include "quant/float/float_executor.h"
#include "quant/placement.h"

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
  const Placement placement_;
  std::vector<float> steps_;  // by activation site
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

/// The weight steps of a layer, one per output channel, whatever their number in the model.
std::vector<float> learned_weight_steps(const Weights& model, const std::string& node,
                                        std::size_t channels);

}  // namespace bitpulse
