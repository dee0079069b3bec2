// SPDX-License-Identifier: Apache-2.0
#pragma once

// Accuracy of one network in three forms: float, fake-quant twin, integers.

#include <cstdint>
#include <functional>
#include <vector>

#include "models/io/images.h"
#include "models/workload.h"
#include "quant/integer/executor.h"
#include "quant/integer/integer_network.h"

namespace bitpulse {

struct Accuracy {
  std::int64_t images = 0;
  std::int64_t float_top1 = 0;  // images whose largest output is their label
  std::int64_t integer_top1 = 0;
  std::int64_t fake_quant_images = 0;  // the twin sees only so many of them
  std::int64_t fake_quant_top1 = 0;
  std::int64_t agreement = 0;            // images where float and integers choose the same class
  std::uint64_t differing_elements = 0;  // of all stored tensors, between twin and integers
  std::uint64_t compared_elements = 0;
  OverflowCounts overflow;  // of the integers, all layers
};

struct EvaluateOptions {
  std::int64_t images = -1;       // the first so many; -1: all
  std::int64_t twin_images = -1;  // of these; the twin is slow
  int threads = 1;
  std::vector<LayerAccumulation> accumulation;      // of the integers; see ExecuteOptions
  std::function<void(std::int64_t done)> progress;  // after each batch; may be empty
};

/// Ties between outputs go to the lowest class, in all three.
Accuracy evaluate(const Workload& workload, const Weights& weights, const IntegerNetwork& network,
                  const ImageSet& images, const EvaluateOptions& options);

/// Real values of the network's first output for `batch` images, NCHW flattened per image.
std::vector<std::vector<double>> output_values(const IntegerNetwork& network,
                                               const std::vector<std::int32_t>& codes,
                                               std::int64_t batch);

/// Index of the largest value, the lowest where several are.
std::int64_t top1(const std::vector<double>& values);

}  // namespace bitpulse
