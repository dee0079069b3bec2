// SPDX-License-Identifier: Apache-2.0
#include "quant/allocate/sensitivity.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

namespace bitpulse {

namespace {

constexpr std::int64_t kMaxLayers = 16384;
constexpr double kAny = std::numeric_limits<double>::max();

LayerSensitivity read_layer(const JsonValue& json) {
  json.only_keys({"name", "parameters", "trace", "standard_error", "draws", "activations",
                  "activation_trace", "activation_standard_error", "activation_draws",
                  "activation_loss"});
  LayerSensitivity layer;
  layer.name = json.at("name").text();
  layer.parameters = json.at("parameters").integer(1, std::int64_t{1} << 40);
  layer.trace = json.at("trace").number(-kAny, kAny);
  layer.standard_error = json.at("standard_error").number(0, kAny);
  layer.draws = json.at("draws").integer(1, 1'000'000);
  if (const auto elements = json.find("activations")) {
    elements->integer(1, std::int64_t{1} << 40);
    json.at("activation_trace").number(-kAny, kAny);
    json.at("activation_standard_error").number(0, kAny);
    json.at("activation_draws").integer(1, 1'000'000);
  }
  if (const auto losses = json.find("activation_loss")) {
    for (const auto& [key, loss] : losses->object_items()) {
      int bits = 0;
      const auto end = key.data() + key.size();
      const auto read = std::from_chars(key.data(), end, bits);
      if (read.ec != std::errc() || read.ptr != end || bits < 1 || bits > 16) {
        losses->fail("widths from 1 to 16 as keys");
      }
      layer.activation_loss[bits] = loss.number(0, kAny);
    }
  }
  return layer;
}

}  // namespace

const LayerSensitivity* Sensitivities::find(const std::string& layer) const {
  const auto found = std::find_if(layers.begin(), layers.end(),
                                  [&](const LayerSensitivity& each) { return each.name == layer; });
  return found == layers.end() ? nullptr : &*found;
}

Sensitivities read_sensitivities(const JsonValue& root) {
  root.require_schema("bitpulse/hessian/1");
  root.only_keys({"schema", "network", "weights_sha256", "images", "seed", "method", "layers"});
  Sensitivities all;
  all.file = root.file();
  all.network = root.at("network").text();
  all.weights_sha256 = root.at("weights_sha256").text();
  root.at("images").integer(1, std::int64_t{1} << 32);
  root.at("seed").integer(0, std::int64_t{1} << 53);
  root.at("method").choice({"double_backward", "finite_difference"});
  const JsonValue layers = root.at("layers");
  if (!layers.is_array() || layers.size() > kMaxLayers) {
    layers.fail("an array of at most " + std::to_string(kMaxLayers) + " layers");
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    all.layers.push_back(read_layer(layers[i]));
    if (!names.insert(all.layers.back().name).second) {
      layers[i].at("name").fail("each layer once");
    }
  }
  return all;
}

double weight_perturbation(const std::vector<float>& weights, std::int64_t channels, int bits) {
  const std::size_t each = weights.size() / static_cast<std::size_t>(channels);
  const double most = std::ldexp(1.0, bits - 1) - 1, least = -most - 1;
  double sum = 0;
  for (std::size_t begin = 0; begin < weights.size(); begin += each) {
    double largest = 1e-8;
    for (std::size_t i = begin; i < begin + each; ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(weights[i])));
    }
    const double scale = largest / most;
    for (std::size_t i = begin; i < begin + each; ++i) {
      const double code = std::clamp(std::nearbyint(weights[i] / scale), least, most);
      const double error = code * scale - weights[i];
      sum += error * error;
    }
  }
  return sum;
}

}  // namespace bitpulse
