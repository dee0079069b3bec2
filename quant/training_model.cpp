// SPDX-License-Identifier: Apache-2.0
#include "quant/training_model.h"

#include <map>
#include <utility>

#include "models/error.h"
#include "quant/float/operations.h"
#include "quant/methods/lsq.h"

namespace bitpulse {

namespace {

[[noreturn]] void fail(const std::string& name, const std::string& why) {
  throw Error(ErrorKind::kInvalidInput, "trained model: tensor '" + name + "': " + why);
}

Weights quantized(const Workload& workload, const Placement& placement, Weights weights) {
  for (const WeightSite& site : placement.weights) {
    const std::string& node = workload.graph.nodes[static_cast<std::size_t>(site.node)].name;
    const std::vector<float> steps = learned_weight_steps(weights, node, site.bits.size());
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
    : placement_(place_quantizers(workload, lower_with_origins(workload))),
      weights_(quantized(workload, placement_, model)),
      executor_(workload.graph, weights_, threads),
      rounding_(workload.quantization.rounding),
      threads_(threads) {
  for (const ActivationSite& site : placement_.activations)
    steps_.push_back(learned_steps(model, activation_step_name(site), 1)[0]);
}

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
    return result;
  };
}

std::vector<FloatBatch> TrainingModel::run(const std::vector<FloatBatch>& inputs,
                                           const NodeObserver& observer) {
  return executor_.run(inputs, observer, filter());
}

}  // namespace bitpulse
