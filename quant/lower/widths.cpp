// SPDX-License-Identifier: Apache-2.0
#include "quant/lower/widths.h"

#include <string>
#include <string_view>
#include <variant>

#include "models/error.h"
#include "models/text.h"

namespace bitpulse {

namespace {

constexpr std::uint8_t kEndBits = 8;  // of the inputs that LLSQ's recipes qfn and qfi keep wider

void check_width(int bits, const std::string& where) {
  if (bits >= 1 && bits <= 16) return;
  throw Error(ErrorKind::kInvalidInput,
              where + ": found " + std::to_string(bits) + " bits, expected 1 to 16");
}

/// Where the workload's JSON says what `layer` says.
std::string place(const LayerBits& layer) {
  return "at /quantization/layers/" + pointer_token(layer.pattern);
}

void check_runs(const LayerBits& layer, std::int64_t channels, const std::string& name) {
  const std::string where = place(layer) + "/weights";
  std::int64_t covered = 0;
  for (const WidthRun& run : layer.weights) {
    check_width(run.bits, where);
    covered += run.channels;
  }
  if (covered == channels) return;
  throw Error(ErrorKind::kInvalidInput, where + ": found widths of " + std::to_string(covered) +
                                            " output channels, expected " +
                                            std::to_string(channels) + ", as layer '" + name +
                                            "' has");
}

}  // namespace

bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*') {
      ++p, ++n;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::int64_t weight_channels(const Layer& layer) {
  if (const auto* conv = std::get_if<Conv2d>(&layer)) return conv->out_channels;
  if (const auto* linear = std::get_if<Linear>(&layer)) return linear->out_features;
  if (const auto* gemm = std::get_if<Gemm>(&layer)) return gemm->n;
  return 0;
}

std::vector<NodeWidths> node_widths(const Workload& workload) {
  const QuantizationSpec& spec = workload.quantization;
  const std::vector<Node>& nodes = workload.graph.nodes;
  if (spec.auto_bits) {
    throw Error(ErrorKind::kInvalidInput,
                "at /quantization/bits: found bits that are still to be chosen, expected numbers; "
                "`bitpulse allocate WORKLOAD --machine MACHINE --out FILE` writes them");
  }
  check_width(spec.weights, "at /quantization/weights");
  check_width(spec.activations, "at /quantization/activations");

  std::vector<NodeWidths> widths(nodes.size());
  std::size_t first = nodes.size(), last = nodes.size();
  for (std::size_t id = 0; id < nodes.size(); ++id) {
    widths[id].activations = spec.activations;
    const std::int64_t channels = weight_channels(nodes[id].layer);
    if (channels == 0) continue;
    widths[id].weights = {{spec.weights, channels}};
    if (first == nodes.size()) first = id;
    last = id;
  }
  const LlsqRecipe recipe = spec.method == "llsq" ? spec.llsq.recipe : LlsqRecipe::kDeploy;
  if (recipe == LlsqRecipe::kQfn || recipe == LlsqRecipe::kQfi) {
    if (first != nodes.size()) widths[first].activations = kEndBits;
    if (recipe == LlsqRecipe::kQfi && last != nodes.size()) widths[last].activations = kEndBits;
  } else if (spec.first_last != 0 && first != nodes.size()) {
    check_width(spec.first_last, "at /quantization/first_last");
    for (const std::size_t id : {first, last}) {
      widths[id].activations = spec.first_last;
      widths[id].weights[0].bits = spec.first_last;
    }
  }

  for (const LayerBits& layer : spec.layers) {
    bool found = false;
    for (std::size_t id = 0; id < nodes.size(); ++id) {
      const std::int64_t channels = weight_channels(nodes[id].layer);
      const bool listed = workload.is_layer_list && !std::holds_alternative<Input>(nodes[id].layer);
      if ((channels == 0 && !listed) || !matches(layer.pattern, nodes[id].name)) continue;
      found = true;
      if (layer.activations) {
        check_width(*layer.activations, place(layer) + "/activations");
        widths[id].activations = *layer.activations;
      }
      if (channels == 0 || layer.weights.empty()) continue;
      widths[id].weights = layer.weights;
      if (layer.weights.size() == 1 && layer.weights[0].channels == 0) {
        check_width(layer.weights[0].bits, place(layer) + "/weights");
        widths[id].weights[0].channels = channels;
      } else {
        check_runs(layer, channels, nodes[id].name);
      }
    }
    if (!found)
      throw Error(ErrorKind::kInvalidInput,
                  place(layer) + ": found no convolution, linear or gemm layer of network '" +
                      workload.graph.name + "' that the pattern matches, expected one");
  }
  return widths;
}

}  // namespace bitpulse
