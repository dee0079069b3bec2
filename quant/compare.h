// SPDX-License-Identifier: Apache-2.0
#pragma once

// How far the integer network is from the float one, tensor by tensor.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/io/images.h"
#include "models/workload.h"
#include "quant/float/float_executor.h"
#include "quant/integer/integer_network.h"

namespace bitpulse {

struct TensorComparison {
  std::string tensor;
  std::string node;  // whose float output it stands for
  Precision precision;
  double sqnr_db = 0;  // 10 log10(sum of float^2 / sum of (float - dequantized)^2)
  std::uint64_t elements = 0;
  /// Codes that differ from the float value quantized with the tensor's scale; not defined for raw
  /// 32-bit outputs, whose codes have no rounding to share.
  std::optional<std::uint64_t> differing;

  double differing_share() const {
    return differing && elements ? static_cast<double>(*differing) / static_cast<double>(elements)
                                 : 0;
  }
};

struct LayerComparison {
  std::vector<TensorComparison> tensors;  // in the network's order
  std::int64_t images = 0;
  std::int64_t real_top1 = 0;  // images whose largest real output is their label
  std::int64_t agreement = 0;  // images where both choose the same class
  /// First tensor in execution order whose SQNR is below the floor. (Not the share of differing
  /// codes: nearly all of a 16-bit stream differ by a few steps in a network that is fine.)
  std::optional<std::size_t> first_diverging;
};

/// What the integers are compared with: FloatExecutor::run of some network of the same graph.
using RealNetwork = std::function<std::vector<FloatBatch>(const std::vector<FloatBatch>& inputs,
                                                          const NodeObserver& observer)>;

/// Compares all stored tensors over images 0 .. count-1.
///
/// network  made from this workload (its structure is checked)
/// errors   kInvalidInput where it was not
LayerComparison compare_layers(const Workload& workload, const RealNetwork& real,
                               const IntegerNetwork& network, const ImageSet& images,
                               std::int64_t count, double sqnr_floor_db, int threads);

/// The same with the float network.
LayerComparison compare_layers(const Workload& workload, const Weights& weights,
                               const IntegerNetwork& network, const ImageSet& images,
                               std::int64_t count, double sqnr_floor_db, int threads);

}  // namespace bitpulse
