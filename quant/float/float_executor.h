// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs a graph in float32 (oneDNN convolutions): calibration, float accuracy, BN statistics.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "models/graph.h"
#include "models/io/images.h"
#include "models/workload.h"

namespace bitpulse {

/// NCHW activations of a batch.
struct FloatBatch {
  std::int64_t batch = 0;
  Shape shape;
  std::vector<float> data;
};

/// Called with each node's output as soon as it is there (node order).
using NodeObserver = std::function<void(NodeId, const FloatBatch&)>;

/// Called with what input `input` of a node reads; what it returns is read instead.
using OperandFilter =
    std::function<std::optional<FloatBatch>(NodeId node, std::size_t input, const FloatBatch&)>;

class FloatExecutor {
 public:
  /// weights  must outlive the executor
  /// errors   kInvalidInput: a tensor is missing or its shape does not fit, naming both
  FloatExecutor(const Graph& graph, const Weights& weights, int threads);
  FloatExecutor(const Graph& graph, Weights&& weights, int threads) = delete;
  ~FloatExecutor();
  FloatExecutor(const FloatExecutor&) = delete;
  FloatExecutor& operator=(const FloatExecutor&) = delete;

  /// Outputs in the graph's order; each observed activation is freed after its last use.
  std::vector<FloatBatch> run(const std::vector<FloatBatch>& inputs,
                              const NodeObserver& observer = {}, const OperandFilter& filter = {});

 private:
  friend void measure_batch_norms(const Graph&, Weights&, const std::vector<FloatBatch>&, int);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Sets "running_mean" and "running_var" of every batch norm to the statistics of its input, in one
/// forward pass: each norm already sees the ones before it.
void measure_batch_norms(const Graph& graph, Weights& weights,
                         const std::vector<FloatBatch>& inputs, int threads);

/// (v * scale - mean) / std of images first .. first+count-1.
FloatBatch normalize(const ImageSet& images, std::int64_t first, std::int64_t count,
                     const DataSpec& data);

/// He-normal weights from `seed`, BN statistics measured by a forward pass over seeded images, so
/// that ranges are sane. Deterministic at any thread count.
Weights seeded_weights(const Graph& graph, const DataSpec& data, std::uint64_t seed, int threads);

}  // namespace bitpulse
