// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a training model quantizes: exactly where the deployed network stores low-bit codes. The
// places are read off the lowering, so that what is learned has a tensor, a residual or a weight
// to be exported to. 16-bit streams and raw outputs are left real.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/workload.h"
#include "quant/activation.h"
#include "quant/lower.h"

namespace bitpulse {

/// A value that is quantized as a whole: a stored tensor, or the main branch of a low-bit residual.
struct ActivationSite {
  std::string name;  // of the tensor; "<add node>.main" for a branch
  Precision precision;
  std::int64_t features = 0;          // elements of one image
  Activation before;                  // applied to the value first
  std::optional<std::size_t> tensor;  // in Lowering::network.tensors, or ...
  std::optional<std::size_t> layer;   // ... whose residual's main branch it is
};

/// The weights of a node.
struct WeightSite {
  NodeId node = -1;
  std::size_t layer = 0;           // in Lowering::network.layers
  std::vector<std::uint8_t> bits;  // by output channel, signed
};

/// What one input of a node reads.
struct QuantizedEdge {
  NodeId node = -1;
  std::size_t input = 0;
  std::size_t site = 0;  // in Placement::activations
};

struct Placement {
  std::vector<ActivationSite> activations;
  std::vector<WeightSite> weights;
  std::vector<QuantizedEdge> edges;
};

/// Names of learned steps in a model file, beside the weights' own.
std::string weight_step_name(const std::string& node);         // "<node>.weight.step"
std::string activation_step_name(const ActivationSite& site);  // "<site>.step"
/// Of the range that a step follows (HAWQ-V3), in a checkpoint and a model.
std::string activation_range_name(const ActivationSite& site);  // "<site>.range"

/// None for method "float". LLSQ's recipe q leaves the first and the last layer real.
///
/// errors  kInvalidInput: lower()'s
Placement place_quantizers(const Workload& workload, const Lowering& lowering);

}  // namespace bitpulse
