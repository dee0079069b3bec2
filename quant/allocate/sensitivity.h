// SPDX-License-Identifier: Apache-2.0
#pragma once

// How much a network's loss feels a layer's weights: the average trace of its Hessian block
// (HAWQ-V2, Dong et al., NeurIPS 2020), read from a "bitpulse/hessian/1" file, and the perturbation
// that a width makes. Their product is the layer's loss in the choice of bits.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/graph.h"
#include "models/io/json.h"

namespace bitpulse {

struct LayerSensitivity {
  std::string name;  // of the convolution or linear node
  std::int64_t parameters = 0;
  double trace = 0;  // Tr(H_i) / parameters, of the float network's mean loss; may be negative
  double standard_error = 0;
  std::int64_t draws = 0;
  /// By width: the loss of activations of that width, trace times squared error; empty: not known.
  std::map<int, double> activation_loss;
};

struct Sensitivities {
  std::string file, network, weights_sha256;
  std::vector<LayerSensitivity> layers;
  const LayerSensitivity* find(const std::string& layer) const;
};

/// errors  kInvalidInput with place: not of that form, a layer twice
Sensitivities read_sensitivities(const JsonValue& root);

/// ||Q(W) - W||^2 of weights [channels][...] at `bits`: per channel symmetric, scale = largest
/// magnitude / (2^(bits-1) - 1), rounded half to even (HAWQ-V3's quantizer).
double weight_perturbation(const std::vector<float>& weights, std::int64_t channels, int bits);

}  // namespace bitpulse
