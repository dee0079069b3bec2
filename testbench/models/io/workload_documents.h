// SPDX-License-Identifier: Apache-2.0
#pragma once

// Workloads to read in tests.

#include <string>

#include "models/io/workload_reader.h"

namespace bitpulse {

/// As if it stood in /folder/w.json.
inline Workload read_workload_text(const std::string& text) {
  return read_workload(parse_json(text, "/folder/w.json"));
}

/// Has every key of a post-training quantization.
inline constexpr const char* kResnet20 = R"({
  "schema": "bitpulse/workload/1", "name": "resnet20 at 4 bits", "network": "resnet20-cifar",
  "batch": 2, "seed": 7, "weights": "../r20.safetensors",
  "data": {"format": "cifar10", "test": "test.bin", "train": "/abs/train.bin",
           "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "bgr": true, "scale": 1},
  "quantization": {"method": "ptq",
    "calibration": {"rule": "percentile", "images": 64, "percentile": 99.9},
    "weights": 4, "activations": 3, "first_last": 8, "rounding": "half_even",
    "residual": "low_bit", "multiplier": "llsq8", "narrow_range": true, "bn_reestimation": true,
    "bias_correction": true, "average_pool_floor": true, "frozen_scales": "net/network.json",
    "layers": {"layer3.*": {"weights": [[2, 48], [4, 16]], "activations": 4},
               "layer1.*": {"weights": 2}, "conv1": {"activations": 16}}}})";

/// kResnet20 with one value changed.
inline std::string changed(const std::string& pointer, const std::string& value) {
  return override_json(parse_json(kResnet20, "/folder/w.json"), {{pointer, value}}).raw_text();
}

}  // namespace bitpulse
