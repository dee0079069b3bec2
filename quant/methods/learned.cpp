// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/learned.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/error.h"
#include "quant/deployed_arithmetic.h"
#include "quant/methods/bn_fold.h"
#include "quant/methods/export.h"
#include "quant/methods/scale_owners.h"
#include "quant/methods/weight_codes.h"
#include "quant/training_model.h"

namespace bitpulse {

namespace {

constexpr double kBiasLimit = 1 << 30;

std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }

/// The layer's weights in units of their steps, divided in float as in training, so that no code
/// differs from the one that was trained.
FoldedGemm in_steps(const Workload& workload, const Lowering& lowering, const WeightSite& site,
                    const Weights& model, const std::vector<float>& steps) {
  Lowering without_norms;
  without_norms.network.layers = {lowering.network.layers[site.layer]};
  without_norms.layers = {lowering.layers[site.layer]};
  without_norms.layers[0].norms.clear();
  FoldedGemm gemm = fold_batch_norms(workload.graph, without_norms, 0, model);
  for (std::size_t i = 0; i < gemm.weights.size(); ++i)
    gemm.weights[i] /= steps[i / gemm.per_channel()];
  return gemm;
}

GemmParameters gemm_parameters(const Workload& workload, const Lowering& lowering,
                               const WeightSite& site, const Weights& model, double input_scale) {
  const std::string& node = workload.graph.nodes[index(site.node)].name;
  const std::size_t channels = site.bits.size();
  const std::vector<float> steps = learned_weight_steps(model, node, channels);
  const std::vector<double> factors =
      norm_factors(workload.graph, lowering.layers[site.layer].norms, model, channels);
  FoldedGemm units = in_steps(workload, lowering, site, model, steps);
  GemmParameters gemm;
  gemm.bias = fold_batch_norms(workload.graph, lowering, site.layer, model).bias;
  for (std::size_t c = 0; c < channels; ++c) {
    double scale = factors[c] * static_cast<double>(steps[c]);
    // A channel that training has all but removed is its bias alone, in a unit that holds it.
    const double least = std::max(std::abs(gemm.bias[c]) / (input_scale * kBiasLimit), 1e-30);
    if (std::abs(scale) < least) {
      scale = least;
      std::fill_n(units.weights.begin() + static_cast<std::ptrdiff_t>(c * units.per_channel()),
                  units.per_channel(), 0.0f);
    }
    gemm.scales.push_back(scale);
  }
  gemm.codes = encode_weights(units, site.bits, std::vector<double>(channels, 1),
                              workload.quantization.narrow_range);
  return gemm;
}

}  // namespace

ActivationScales learned_activation_scales(const Workload& workload, const Lowering& lowering,
                                           const Weights& model, const ImageSet& calibration,
                                           int threads) {
  const Placement placement = place_quantizers(workload, lowering);
  const TrainingModel trained(workload, model, threads);
  ActivationScales scales =
      calibrate(workload, lowering, trained.weights(), calibration, threads, trained.filter());
  for (const ActivationSite& site : placement.activations) {
    const float step = learned_steps(model, activation_step_name(site), 1)[0];
    if (site.tensor) scales.tensors[*site.tensor] = step;
    if (site.layer) scales.residuals[*site.layer] = step;
  }
  const std::vector<std::size_t> owners = scale_owners(lowering);
  for (std::size_t t = 0; t < owners.size(); ++t) scales.tensors[t] = scales.tensors[owners[t]];
  for (std::size_t l = 0; l < lowering.network.layers.size(); ++l) {
    const IntegerLayer& layer = lowering.network.layers[l];
    const auto* sum = std::get_if<ElementwiseOp>(&layer.op);
    if (sum && layer.residual->kind == Residual::Kind::kLowBit)
      scales.residuals[l] = scales.tensors[index(sum->input)];
  }
  return scales;
}

IntegerNetwork quantize_learned(const Workload& workload, const Weights& model,
                                const ImageSet& calibration, int threads) {
  const QuantizationSpec& spec = workload.quantization;
  if (spec.method == "llsq" && spec.llsq.recipe == LlsqRecipe::kQ)
    throw Error(ErrorKind::kInvalidInput,
                "recipe q keeps the first and the last layer in float: it trains and evaluates, "
                "and has no integers; choose deploy, qfn or qfi");
  Lowering lowering = lower_with_origins(workload);
  const Placement placement = place_quantizers(workload, lowering);
  const ActivationScales scales =
      learned_activation_scales(workload, lowering, model, calibration, threads);
  std::vector<GemmParameters> gemms(lowering.network.layers.size());
  for (const WeightSite& site : placement.weights) {
    const auto& op = std::get<GemmOp>(lowering.network.layers[site.layer].op);
    gemms[site.layer] =
        gemm_parameters(workload, lowering, site, model, scales.tensors[index(op.input)]);
  }
  export_parameters(workload, gemms, scales, lowering);
  lowering.network.provenance = {{"scales", "learned"}};
  return std::move(lowering.network);
}

}  // namespace bitpulse
