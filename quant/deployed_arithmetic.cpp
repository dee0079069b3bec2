// SPDX-License-Identifier: Apache-2.0
#include "quant/deployed_arithmetic.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "quant/float/parameters.h"
#include "quant/methods/multiplier.h"
#include "quant/methods/scale_owners.h"

namespace bitpulse {

namespace {

std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }

class Deployer {
 public:
  Deployer(const Workload& workload, const Lowering& lowering, const Placement& placement,
           const LearnedScales& scales)
      : spec_(workload.quantization),
        lowering_(lowering),
        placement_(placement),
        scales_(scales),
        owners_(scale_owners(lowering)) {
    for (std::size_t s = 0; s < placement.activations.size(); ++s) {
      const ActivationSite& site = placement.activations[s];
      if (scales.activations[s] == 0) continue;
      if (site.tensor) by_tensor_[*site.tensor] = scales.activations[s];
      if (site.layer) main_branch_[*site.layer] = scales.activations[s];
    }
  }

  DeployedArithmetic run() {
    for (std::size_t s = 0; s < placement_.weights.size(); ++s) deploy(s);
    for (std::size_t l = 0; l < lowering_.layers.size(); ++l) deploy_residual(l);
    return std::move(result_);
  }

 private:
  const IntegerLayer& layer(std::size_t l) const { return lowering_.network.layers[l]; }

  std::optional<double> scale_of(TensorId tensor) const {
    const auto found = by_tensor_.find(owners_[index(tensor)]);
    return found == by_tensor_.end() ? std::nullopt : std::optional<double>(found->second);
  }

  /// The one learned scale in which a layer's value is stored, if there is one.
  std::optional<double> stored_scale(const IntegerLayer& layer) const {
    std::optional<double> scale;
    for (const Store& store : layer.stores) {
      const std::optional<double> other = scale_of(store.tensor);
      if (!other || (scale && *scale != *other)) return std::nullopt;
      scale = other;
    }
    return scale;
  }

  std::optional<double> destination(std::size_t l) const {
    if (!layer(l).residual) return stored_scale(layer(l));
    const auto found = main_branch_.find(l);
    return found == main_branch_.end() ? std::nullopt : std::optional<double>(found->second);
  }

  /// Multipliers over ratios; 1 where a channel has no scale to be wrong about.
  std::vector<double> corrections(const std::vector<double>& ratios,
                                  const std::string& name) const {
    std::vector<double> result(ratios.size(), 1);
    if (spec_.multiplier != MultiplierStyle::kLlsq8) return result;
    const std::vector<Multiplier> multipliers =
        truncated_multipliers(ratios, 8, "layer '" + name + "'");
    for (std::size_t i = 0; i < ratios.size(); ++i)
      if (ratios[i] != 0)
        result[i] = std::ldexp(multipliers[i].m, -multipliers[i].shift) / ratios[i];
    return result;
  }

  void deploy(std::size_t s) {
    const WeightSite& site = placement_.weights[s];
    const IntegerLayer& target = layer(site.layer);
    const TensorId input = std::get<GemmOp>(target.op).input;
    const std::optional<double> input_scale = scale_of(input);
    if (!input_scale) return;
    DeployedLayer deployed;
    deployed.site = s;
    deployed.bias =
        bias_codes(spec_, site.bits[0], lowering_.network.tensors[index(input)].precision.bits);
    for (const double scale : scales_.weights[s]) deployed.units.push_back(scale * *input_scale);
    if (std::all_of(deployed.units.begin(), deployed.units.end(), [](double u) { return u == 0; }))
      return;
    deployed.corrections.assign(deployed.units.size(), 1);
    if (const std::optional<double> unit = destination(site.layer)) {
      std::vector<double> ratios = deployed.units;
      for (double& ratio : ratios) ratio /= *unit;
      deployed.corrections = corrections(ratios, target.name);
    }
    result_.layers.push_back(std::move(deployed));
  }

  void deploy_residual(std::size_t l) {
    const IntegerLayer& sum = layer(l);
    if (!sum.residual || sum.residual->kind != Residual::Kind::kLowBit) return;
    const std::optional<double> unit = stored_scale(sum);
    if (!unit) return;
    std::vector<std::size_t> inputs;
    std::vector<double> ratios;
    for (const QuantizedEdge& edge : placement_.edges) {
      if (edge.node != lowering_.layers[l].add || scales_.activations[edge.site] == 0) continue;
      inputs.push_back(edge.input);
      ratios.push_back(scales_.activations[edge.site] / *unit);
    }
    if (inputs.size() != 2) return;  // a 16-bit tensor's scale is not learned
    const std::vector<double> factors = corrections(ratios, sum.name);
    for (std::size_t i = 0; i < 2; ++i)
      result_.operands[{lowering_.layers[l].add, inputs[i]}] = factors[i];
  }

  const QuantizationSpec& spec_;
  const Lowering& lowering_;
  const Placement& placement_;
  const LearnedScales& scales_;
  const std::vector<std::size_t> owners_;
  std::map<std::size_t, double> by_tensor_, main_branch_;
  DeployedArithmetic result_;
};

}  // namespace

DeployedArithmetic deployed_arithmetic(const Workload& workload, const Lowering& lowering,
                                       const Placement& placement, const LearnedScales& scales) {
  return Deployer(workload, lowering, placement, scales).run();
}

CodeRange bias_codes(const QuantizationSpec& spec, int weight_bits, int input_bits) {
  const bool narrow = spec.multiplier == MultiplierStyle::kLlsq8 && weight_bits + input_bits <= 8;
  return Precision{static_cast<std::uint8_t>(narrow ? 8 : 32), true}.range();
}

std::vector<double> norm_factors(const Graph& graph, const std::vector<NodeId>& norms,
                                 const Weights& model, std::size_t channels) {
  std::vector<double> factors(channels, 1);
  for (const NodeId id : norms) {
    const ChannelAffine norm = batch_norm_affine(model, graph.nodes[index(id)]);
    for (std::size_t c = 0; c < channels; ++c) factors[c] *= norm.scale[c];
  }
  return factors;
}

}  // namespace bitpulse
