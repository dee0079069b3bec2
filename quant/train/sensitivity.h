// SPDX-License-Identifier: Apache-2.0
#pragma once

// How much the loss of a workload's float network feels each layer's weights: the traces of its
// Hessian's blocks (HAWQ-V2), over the first training images as they are, batch norms with their
// running statistics, and on request the same of each layer's input. Written as
// "bitpulse/hessian/1" for the choice of bits.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/io/json.h"
#include "models/workload.h"
#include "quant/train/activation_sensitivity.h"
#include "quant/train/hutchinson.h"

namespace bitpulse {

struct SensitivityOptions {
  std::int64_t images = 512;
  std::int64_t batch = 128;
  std::string device = "cpu";
  int threads = 1;
  HutchinsonOptions hutchinson;
  std::optional<JsonValue> traces{};       // a file whose weights' traces are taken as they are
  std::int64_t activation_draws = 0;       // per image; 0: activations are left out
  ActivationProgress activation_progress;  // may be empty
};

struct LayerTrace {
  std::string name;  // of the node with weights
  std::int64_t parameters = 0;
  TraceEstimate estimate;  // per parameter
  std::optional<ActivationTrace> activation;
};

struct Sensitivity {
  std::int64_t images = 0;  // taken
  std::vector<LayerTrace> layers;
};

/// errors  kInvalidInput: no weights, or none that fit; no labelled training images; several inputs
///         or outputs; a device that is not there; traces of other weights, images, draws or seed;
///         kCheckFailed: a product is not finite
Sensitivity sensitivity_of(const Workload& workload, const SensitivityOptions& options);

/// As JSON, traces and errors per parameter and per element.
std::string to_json(const Sensitivity& sensitivity, const Workload& workload,
                    const SensitivityOptions& options);

}  // namespace bitpulse
