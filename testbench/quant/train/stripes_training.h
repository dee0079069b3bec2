// SPDX-License-Identifier: Apache-2.0
#pragma once

// Trainings on stripes in a temporary folder, and what they leave there.

#include <filesystem>
#include <string>

#include "models/io/files.h"
#include "quant/train/trainer.h"
#include "testbench/quant/train/stripes.h"

namespace bitpulse {

/// The bytes of a file.
inline std::string content(const std::string& path) { return read_file(path, 1 << 30); }

/// A training that writes into a folder in the folder, which is made.
inline TrainOptions into(const TemporaryFolder& folder, const std::string& name) {
  TrainOptions options;
  options.out = folder / name;
  options.recipe = "recipe";
  std::filesystem::create_directories(options.out);
  return options;
}

/// Trains the float network of stripes; the path of its weights.
inline std::string float_weights(const TemporaryFolder& folder) {
  train(stripes(folder, R"({"method": "float", "train": {"epochs": 4, "batch": 32, "lr": 0.05}})"),
        into(folder, "float"));
  return folder / "float/model.safetensors";
}

/// Stripes with a trained float network.
inline Workload pretrained(const TemporaryFolder& folder, const std::string& quantization) {
  const std::string weights = float_weights(folder);
  Workload workload = stripes(folder, quantization);
  workload.weights_path = weights;
  return workload;
}

}  // namespace bitpulse
