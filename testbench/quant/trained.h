// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a training leaves: weights and steps, here made up, and the integers made of them.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "quant/compare.h"
#include "quant/methods/learned.h"
#include "quant/training_model.h"
#include "testbench/quant/graphs.h"

namespace bitpulse {

/// A small residual network with seeded weights and steps as training would begin with.
struct Trained {
  Workload workload;
  Weights model;
  ImageSet images;

  explicit Trained(const std::string& method = "lsq", bool per_channel = false,
                   std::uint8_t bits = 4) {
    workload = small_resnet().workload;
    workload.quantization.method = method;
    workload.quantization.weights = workload.quantization.activations = bits;
    workload.quantization.first_last = 8;
    if (method == "llsq") {  // as a workload's JSON has it by default
      workload.quantization.residual = ResidualStyle::kLowBit;
      workload.quantization.multiplier = MultiplierStyle::kLlsq8;
    }
    model = seeded_weights(workload.graph, workload.data, 2, 1);
    images = seeded_images({3, 8, 8}, 24, 4);
    for (std::int32_t& label : images.labels) label = 3;
    const Placement placement = place_quantizers(workload, lower_with_origins(workload));
    for (const WeightSite& site : placement.weights) add_step(site, per_channel);
    for (const ActivationSite& site : placement.activations)
      model[activation_step_name(site)] = {
          {1}, {4.0f / static_cast<float>(site.precision.range().max + 1)}};
  }

  const std::string& name(const WeightSite& site) const {
    return workload.graph.nodes[static_cast<std::size_t>(site.node)].name;
  }

  void add_step(const WeightSite& site, bool per_channel) {
    float largest = 0;
    for (const float w : model.at(name(site) + ".weight").data)
      largest = std::max(largest, std::abs(w));
    const float step = 0.8f * largest / static_cast<float>(1 << (site.bits[0] - 1));
    const std::size_t count = per_channel ? site.bits.size() : 1;
    Tensor<float>& steps = model[weight_step_name(name(site))];
    steps.dims = {static_cast<std::int64_t>(count)};
    for (std::size_t c = 0; c < count; ++c)
      steps.data.push_back(step * (1 + 0.01f * static_cast<float>(c)));
  }

  IntegerNetwork quantize() const { return quantize_learned(workload, model, images, 1); }

  LayerComparison compare(const IntegerNetwork& network) const {
    TrainingModel trained(workload, model, 1);
    return compare_layers(
        workload,
        [&](const std::vector<FloatBatch>& inputs, const NodeObserver& observer) {
          return trained.run(inputs, observer);
        },
        network, images, images.count, 10, 1);
  }
};

/// Share of low-bit codes in which integers and training model differ.
inline double differing(const LayerComparison& comparison) {
  double differing = 0, all = 0;
  for (const TensorComparison& tensor : comparison.tensors) {
    if (tensor.precision.bits >= 16) continue;
    differing += static_cast<double>(*tensor.differing);
    all += static_cast<double>(tensor.elements);
  }
  return differing / all;
}

}  // namespace bitpulse
