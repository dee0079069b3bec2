// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/ptq.h"

#include <utility>

#include "quant/integer/network_io.h"
#include "quant/methods/bn_fold.h"
#include "quant/methods/correction.h"
#include "quant/methods/export.h"
#include "quant/methods/learned.h"
#include "quant/methods/weight_codes.h"

namespace bitpulse {

namespace {

const char* rule_name(CalibrationRule rule) {
  switch (rule) {
    case CalibrationRule::kMinMax:
      return "minmax";
    case CalibrationRule::kPercentile:
      return "percentile";
    case CalibrationRule::kMse:
      return "mse";
  }
  return "";
}

/// One layer's real weights at a time: all of them folded would be a second copy of the network.
std::vector<GemmParameters> quantize_weights(const Workload& workload, const Lowering& lowering,
                                             const Weights& weights, const ActivationScales& scales,
                                             int threads) {
  const QuantizationSpec& spec = workload.quantization;
  std::vector<GemmParameters> gemms(lowering.network.layers.size());
  for (std::size_t i = 0; i < gemms.size(); ++i) {
    const auto* op = std::get_if<GemmOp>(&lowering.network.layers[i].op);
    if (!op) continue;
    FoldedGemm folded = fold_batch_norms(workload.graph, lowering, i, weights);
    const double input_scale = scales.tensors[static_cast<std::size_t>(op->input)];
    GemmParameters& gemm = gemms[i];
    gemm.scales = weight_scales(folded, op->weight_bits, input_scale, spec, threads);
    gemm.codes = encode_weights(folded, op->weight_bits, gemm.scales, spec.narrow_range);
    gemm.bias = std::move(folded.bias);
  }
  return gemms;
}

ActivationScales activation_scales(const Workload& workload, const Lowering& lowering,
                                   const Weights& weights, const ImageSet& calibration,
                                   int threads) {
  const QuantizationSpec& spec = workload.quantization;
  if (spec.learns)
    return learned_activation_scales(workload, lowering, weights, calibration, threads);
  if (spec.frozen_scales.empty())
    return calibrate(workload, lowering, weights, calibration, threads);
  return frozen_scales(load_network(spec.frozen_scales), lowering.network, spec.frozen_scales);
}

std::string source_of_scales(const QuantizationSpec& spec) {
  if (spec.learns) return "learned";
  return spec.frozen_scales.empty() ? rule_name(spec.calibration) : "frozen";
}

}  // namespace

IntegerNetwork quantize_ptq(const Workload& workload, const Weights& weights,
                            const ImageSet& calibration, int threads) {
  const QuantizationSpec& spec = workload.quantization;
  Lowering lowering = lower_with_origins(workload);
  const ActivationScales scales =
      activation_scales(workload, lowering, weights, calibration, threads);
  std::vector<GemmParameters> gemms =
      quantize_weights(workload, lowering, weights, scales, threads);
  export_parameters(workload, gemms, scales, lowering);
  if (spec.bn_reestimation || spec.bias_correction)
    correct_channels(workload, weights, calibration, scales, gemms, lowering, threads);

  lowering.network.provenance = {
      {"calibration", source_of_scales(spec)},
      {"calibration_images", std::to_string(std::min(calibration.count, spec.calibration_images))},
      {"bn_reestimation", spec.bn_reestimation ? "yes" : "no"},
      {"bias_correction", spec.bias_correction ? "yes" : "no"}};
  return std::move(lowering.network);
}

}  // namespace bitpulse
