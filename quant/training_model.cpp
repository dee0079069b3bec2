// SPDX-License-Identifier: Apache-2.0
#include "quant/training_model.h"

#include <map>
#include <utility>

#include "models/error.h"
#include "quant/float/operations.h"
#include "quant/methods/bn_fold.h"
#include "quant/methods/hawq.h"
#include "quant/methods/lsq.h"
#include "quant/methods/rounding.h"

namespace bitpulse {

namespace {

[[noreturn]] void fail(const std::string& name, const std::string& why) {
  throw Error(ErrorKind::kInvalidInput, "trained model: tensor '" + name + "': " + why);
}

Weights quantized(const Workload& workload, const Placement& placement, Weights weights) {
  for (const WeightSite& site : placement.weights) {
    const std::string& node = workload.graph.nodes[static_cast<std::size_t>(site.node)].name;
    const std::vector<float> steps = weight_steps(workload.quantization, weights, node, site.bits);
    const auto found = weights.find(node + ".weight");
    if (found == weights.end()) fail(node + ".weight", "missing");
    std::vector<float>& values = found->second.data;
    const std::size_t per_channel = values.size() / site.bits.size();
    for (std::size_t c = 0; c < site.bits.size(); ++c) {
      CodeRange range = Precision{site.bits[c], true}.range();
      if (workload.quantization.narrow_range) range.min = -range.max;
      float* const slice = values.data() + c * per_channel;
      lsq_forward(slice, per_channel, steps[c], range, Rounding::kHalfEven, slice);
    }
  }
  return weights;
}

std::vector<float> activation_steps(const Placement& placement, const Weights& model) {
  std::vector<float> steps;
  for (const ActivationSite& site : placement.activations)
    steps.push_back(learned_steps(model, activation_step_name(site), 1)[0]);
  return steps;
}

/// Nothing where the training did not end folded.
DeployedArithmetic arithmetic_of(const Workload& workload, const Lowering& lowering,
                                 const Placement& placement, const std::vector<float>& steps,
                                 const Weights& model) {
  if (workload.quantization.train.fold_epochs == 0) return {};
  LearnedScales scales;
  scales.activations.assign(steps.begin(), steps.end());
  for (const WeightSite& site : placement.weights) {
    const std::string& node = workload.graph.nodes[static_cast<std::size_t>(site.node)].name;
    const std::vector<float> by_channel =
        weight_steps(workload.quantization, model, node, site.bits);
    std::vector<double> channels =
        norm_factors(workload.graph, lowering.layers[site.layer].norms, model, site.bits.size());
    for (std::size_t c = 0; c < channels.size(); ++c)
      channels[c] *= static_cast<double>(by_channel[c]);
    scales.weights.push_back(std::move(channels));
  }
  return deployed_arithmetic(workload, lowering, placement, scales);
}

/// Rounded biases and corrections, in the parameters that make them.
void deploy(const Workload& workload, const Lowering& lowering, const Placement& placement,
            const DeployedLayer& layer, Weights& weights) {
  const std::size_t l = placement.weights[layer.site].layer;
  const LayerOrigin& origin = lowering.layers[l];
  const std::vector<double> bias = fold_batch_norms(workload.graph, lowering, l, weights).bias;
  const bool has_norm = !origin.norms.empty();
  const NodeId end = has_norm ? origin.norms.back() : origin.op;
  const Node& node = workload.graph.nodes[static_cast<std::size_t>(end)];
  std::vector<float>& scaled = weights.at(node.name + ".weight").data;
  const auto found = weights.find(node.name + ".bias");
  const std::size_t per_channel = scaled.size() / bias.size();
  for (std::size_t c = 0; c < bias.size(); ++c) {
    const double unit = layer.units[c], factor = layer.corrections[c];
    const double rounded =
        unit == 0 ? bias[c] : unit * static_cast<double>(nearest_code(bias[c] / unit, layer.bias));
    for (std::size_t i = 0; i < per_channel; ++i)
      scaled[c * per_channel + i] *= static_cast<float>(factor);
    if (found == weights.end()) continue;
    float& shift = found->second.data[c];
    shift = static_cast<float>(factor * (static_cast<double>(shift) + rounded - bias[c]));
  }
}

Weights deployed(const Workload& workload, const Lowering& lowering, const Placement& placement,
                 const DeployedArithmetic& arithmetic, Weights weights) {
  for (const DeployedLayer& layer : arithmetic.layers)
    deploy(workload, lowering, placement, layer, weights);
  return weights;
}

}  // namespace

std::vector<float> learned_steps(const Weights& model, const std::string& name, std::size_t count) {
  const auto found = model.find(name);
  if (found == model.end()) fail(name, "missing");
  const std::vector<float>& steps = found->second.data;
  if (steps.size() != count)
    fail(name,
         "found " + std::to_string(steps.size()) + " steps, expected " + std::to_string(count));
  for (const float step : steps)
    if (!(step > 0)) fail(name, "found a step that is not positive");
  return steps;
}

std::vector<float> weight_steps(const QuantizationSpec& spec, const Weights& model,
                                const std::string& node, const std::vector<std::uint8_t>& bits) {
  if (spec.method != "hawq") return learned_weight_steps(model, node, bits.size());
  const auto found = model.find(node + ".weight");
  if (found == model.end()) fail(node + ".weight", "missing");
  const std::vector<float>& values = found->second.data;
  const std::size_t per_channel = values.size() / bits.size();
  std::vector<float> steps;
  for (std::size_t c = 0; c < bits.size(); ++c)
    steps.push_back(hawq_weight_scale(values.data() + c * per_channel, per_channel, bits[c]));
  return steps;
}

std::vector<float> learned_weight_steps(const Weights& model, const std::string& node,
                                        std::size_t channels) {
  const std::string name = weight_step_name(node);
  const auto found = model.find(name);
  const bool is_shared = found != model.end() && found->second.data.size() == 1;
  std::vector<float> steps = learned_steps(model, name, is_shared ? 1 : channels);
  steps.resize(channels, steps[0]);
  return steps;
}

TrainingModel::TrainingModel(const Workload& workload, const Weights& model, int threads)
    : TrainingModel(workload, lower_with_origins(workload), model, threads) {}

TrainingModel::TrainingModel(const Workload& workload, const Lowering& lowering,
                             const Weights& model, int threads)
    : placement_(place_quantizers(workload, lowering)),
      steps_(activation_steps(placement_, model)),
      arithmetic_(arithmetic_of(workload, lowering, placement_, steps_, model)),
      weights_(deployed(workload, lowering, placement_, arithmetic_,
                        quantized(workload, placement_, model))),
      executor_(workload.graph, weights_, threads),
      rounding_(workload.quantization.rounding),
      threads_(threads) {}

OperandFilter TrainingModel::filter() const {
  std::map<std::pair<NodeId, std::size_t>, std::size_t> edges;
  for (const QuantizedEdge& edge : placement_.edges) edges[{edge.node, edge.input}] = edge.site;
  return [this, edges = std::move(edges)](NodeId node, std::size_t input,
                                          const FloatBatch& value) -> std::optional<FloatBatch> {
    const auto edge = edges.find({node, input});
    if (edge == edges.end()) return std::nullopt;
    const ActivationSite& site = placement_.activations[edge->second];
    FloatBatch result = activate(value, site.before, threads_);
    lsq_forward(result.data.data(), result.data.size(), steps_[edge->second],
                site.precision.range(), rounding_, result.data.data());
    const auto factor = arithmetic_.operands.find({node, input});
    if (factor != arithmetic_.operands.end())
      for (float& x : result.data) x *= static_cast<float>(factor->second);
    return result;
  };
}

std::vector<FloatBatch> TrainingModel::run(const std::vector<FloatBatch>& inputs,
                                           const NodeObserver& observer) {
  return executor_.run(inputs, observer, filter());
}

}  // namespace bitpulse
