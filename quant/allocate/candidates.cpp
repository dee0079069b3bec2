// SPDX-License-Identifier: Apache-2.0
#include "quant/allocate/candidates.h"

#include <algorithm>
#include <map>

#include "models/error.h"
#include "models/text.h"
#include "quant/float/parameters.h"
#include "quant/lower/widths.h"

namespace bitpulse {

namespace {

[[noreturn]] void fail(const Workload& workload, const std::string& file, const std::string& text) {
  throw Error(
      ErrorKind::kInvalidInput,
      (file.empty() ? "workload '" + workload.name + "'" : printable(file, 400)) + ": " + text);
}

/// The widths of all nodes if every layer that may choose took `bits`.
std::vector<NodeWidths> widths_at(Workload& workload, std::uint8_t bits) {
  workload.quantization.weights = workload.quantization.activations = bits;
  return node_widths(workload);
}

Workload without_choice(const Workload& workload) {
  Workload plain = workload;
  plain.quantization.auto_bits.reset();
  plain.quantization.weights = plain.quantization.activations = 8;
  return plain;
}

/// Multiply-accumulates of a node, from its weights and its output pixels.
std::int64_t macs_of(const Node& node, std::int64_t parameters) {
  return parameters * node.shape.h * node.shape.w;
}

void price(const Workload& workload, const Sensitivities& sensitivities,
           const std::vector<float>& weights, std::int64_t channels, BitCandidate& layer) {
  const AutoBits& bits = *workload.quantization.auto_bits;
  const LayerSensitivity* known = sensitivities.find(layer.name);
  if (known == nullptr) {
    fail(workload, sensitivities.file,
         "found no sensitivity of layer '" + layer.name + "', expected one");
  }
  if (known->parameters != layer.parameters) {
    fail(workload, sensitivities.file,
         "layer '" + layer.name + "': found " + std::to_string(known->parameters) +
             " parameters, expected " + std::to_string(layer.parameters));
  }
  layer.trace = std::max(0.0, known->trace);
  const auto activation_loss = [&](int width) {
    if (!bits.free_activations) return 0.0;
    const auto found = known->activation_loss.find(width);
    if (found != known->activation_loss.end()) return found->second;
    fail(workload, sensitivities.file,
         "layer '" + layer.name + "': found no \"activation_loss\" of " + std::to_string(width) +
             " bits, which free activations need");
  };
  std::map<int, double> weight_loss;
  for (const std::uint8_t width : bits.choices) {
    weight_loss[width] = layer.trace * weight_perturbation(weights, channels, width);
  }
  for (const std::uint8_t w : bits.choices) {
    for (const std::uint8_t a : bits.choices) {
      if (!bits.free_activations && a != w) continue;
      layer.options.push_back({w, a});
      layer.loss.push_back(weight_loss[w] + activation_loss(a));
    }
  }
}

/// Nodes whose value goes straight (batch norm aside) into a residual add.
std::vector<bool> feeds_add(const Graph& graph) {
  std::vector<bool> feeds(graph.nodes.size(), false);
  for (std::size_t id = graph.nodes.size(); id-- > 0;) {
    const Node& node = graph.nodes[id];
    const bool is_add = std::holds_alternative<Add>(node.layer);
    const bool passes_on = std::holds_alternative<BatchNorm>(node.layer) && feeds[id];
    if (!is_add && !passes_on) continue;
    for (const NodeId input : node.inputs) feeds[static_cast<std::size_t>(input)] = true;
  }
  return feeds;
}

}  // namespace

BitCandidates bit_candidates(const Workload& workload, const Weights& weights,
                             const Sensitivities& sensitivities) {
  const Graph& graph = workload.graph;
  Workload plain = without_choice(workload);
  const std::vector<NodeWidths> high = widths_at(plain, 8), low = widths_at(plain, 4);
  BitCandidates all;
  std::map<NodeId, std::vector<std::size_t>> readers;  // of a node's value, that may choose
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    const std::int64_t channels = weight_channels(node.layer);
    if (channels == 0) continue;
    const std::vector<float>& values = parameter(weights, node, "weight", weight_dims(graph, node));
    BitCandidate layer;
    layer.node = id;
    layer.name = node.name;
    layer.parameters = static_cast<std::int64_t>(values.size());
    layer.macs = macs_of(node, layer.parameters);
    const NodeWidths& widths = high[id];
    layer.chooses = widths.weights.size() == 1 &&
                    widths.weights[0].bits != low[id].weights[0].bits &&
                    widths.activations != low[id].activations;
    if (layer.chooses) {
      price(workload, sensitivities, values, channels, layer);
      readers[node.inputs[0]].push_back(all.layers.size());
    } else {
      if (widths.weights.size() > 1) {
        fail(
            workload, "",
            "layer '" + node.name + "' has widths by channel, which a choice of bits cannot count");
      }
      layer.options = {{widths.weights[0].bits, widths.activations}};
      layer.loss = {0};
    }
    all.layers.push_back(std::move(layer));
  }
  const std::vector<bool> on_shortcut = feeds_add(graph);
  for (const auto& [value, layers] : readers) {
    const bool tied = layers.size() > 1 && std::any_of(layers.begin(), layers.end(), [&](auto l) {
                        return on_shortcut[all.layers[l].node];
                      });
    if (tied) all.ties.push_back(layers);
  }
  return all;
}

Workload with_bits(const Workload& workload, const BitCandidates& candidates,
                   const std::vector<BitOption>& chosen) {
  Workload plain = without_choice(workload);
  for (std::size_t l = 0; l < chosen.size(); ++l) {
    if (!candidates.layers[l].chooses) continue;
    LayerBits bits;
    bits.pattern = candidates.layers[l].name;
    bits.weights = {{chosen[l].weights, 0}};
    bits.activations = chosen[l].activations;
    plain.quantization.layers.push_back(std::move(bits));
  }
  return plain;
}

}  // namespace bitpulse
