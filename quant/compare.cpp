// SPDX-License-Identifier: Apache-2.0
#include "quant/compare.h"

#include <algorithm>
#include <cmath>

#include "models/error.h"
#include "quant/evaluate.h"
#include "quant/float/operations.h"
#include "quant/inputs.h"
#include "quant/lower.h"
#include "quant/methods/rounding.h"

namespace bitpulse {

namespace {

std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }

constexpr std::uint8_t kRawBits = 32;

struct Sums {
  double signal = 0, noise = 0;
  std::uint64_t elements = 0, differing = 0;
};

/// Real units of a tensor's codes, one or one per channel.
std::vector<double> scales_of(const IntegerNetwork& network, std::size_t tensor) {
  if (network.tensors[tensor].precision.bits < kRawBits) return {network.tensors[tensor].scale};
  for (const NetworkOutput& output : network.outputs)
    if (index(output.tensor) == tensor) return output.scales;
  return {0};
}

void accumulate(const FloatBatch& real, const StoredTensor& tensor,
                const std::vector<double>& scales, Rounding rounding,
                const std::vector<std::int32_t>& codes, Sums& sums) {
  const Shape& shape = tensor.shape;
  const CodeRange range = tensor.precision.range();
  const float* value = real.data.data();
  for (std::int64_t b = 0; b < real.batch; ++b)
    for (std::int64_t c = 0; c < shape.c; ++c) {
      const double scale = scales.size() == 1 ? scales[0] : scales[static_cast<std::size_t>(c)];
      for (std::int64_t p = 0; p < shape.pixels(); ++p) {
        const auto x = static_cast<double>(*value++);
        const std::int32_t code =
            codes[static_cast<std::size_t>((b * shape.pixels() + p) * shape.c + c)];
        const double error = x - code * scale;
        sums.signal += x * x;
        sums.noise += error * error;
        if (nearest_code(round_real(x / scale, rounding), range) != code) ++sums.differing;
      }
    }
  sums.elements += codes.size();
}

void check_structure(const Lowering& lowering, const IntegerNetwork& network) {
  bool same = lowering.network.tensors.size() == network.tensors.size();
  for (std::size_t t = 0; same && t < network.tensors.size(); ++t)
    same = lowering.network.tensors[t].name == network.tensors[t].name &&
           lowering.network.tensors[t].shape == network.tensors[t].shape;
  if (!same)
    throw Error(ErrorKind::kInvalidInput, "integer network '" + network.name +
                                              "' was not made from this workload: its tensors "
                                              "have other names or shapes");
}

/// Which class the largest output of each image of a batch chooses, in both networks.
void count_classes(const IntegerNetwork& network, const FloatBatch& outputs,
                   const TensorCodes& codes, const ImageSet& images, std::int64_t first,
                   LayerComparison& result) {
  const auto integers =
      output_values(network, codes[index(network.outputs[0].tensor)], outputs.batch);
  const std::int64_t size = outputs.shape.elements();
  for (std::int64_t b = 0; b < outputs.batch; ++b) {
    const float* values = outputs.data.data() + b * size;
    const std::int64_t chosen = top1({values, values + size});
    result.real_top1 += chosen == images.labels[static_cast<std::size_t>(first + b)];
    result.agreement += chosen == top1(integers[static_cast<std::size_t>(b)]);
  }
  result.images += outputs.batch;
}

}  // namespace

LayerComparison compare_layers(const Workload& workload, const RealNetwork& real,
                               const IntegerNetwork& network, const ImageSet& images,
                               std::int64_t count, double sqnr_floor_db, int threads) {
  const Lowering lowering = lower_with_origins(workload);
  check_structure(lowering, network);
  std::vector<std::vector<std::size_t>> tensors_of(workload.graph.nodes.size());
  std::vector<std::vector<double>> scales;
  for (std::size_t t = 0; t < network.tensors.size(); ++t) {
    tensors_of[index(lowering.tensors[t].node)].push_back(t);
    scales.push_back(scales_of(network, t));
  }

  LayerComparison result;
  std::vector<Sums> sums(network.tensors.size());
  const std::int64_t batch = float_batch_size(workload.graph);
  ExecuteOptions options;
  options.threads = threads;
  options.keep_all_tensors = true;
  for (std::int64_t first = 0; first < count; first += batch) {
    const std::int64_t n = std::min(batch, count - first);
    const TensorCodes codes =
        execute(network, input_codes(workload, network, images, first, n), n, options).tensors;
    const std::vector<FloatBatch> outputs =
        real(float_inputs(workload, images, first, n), [&](NodeId node, const FloatBatch& value) {
          for (const std::size_t t : tensors_of[index(node)])
            accumulate(activate(value, lowering.tensors[t].activation, threads), network.tensors[t],
                       scales[t], network.rounding, codes[t], sums[t]);
        });
    count_classes(network, outputs[0], codes, images, first, result);
  }

  for (std::size_t t = 0; t < network.tensors.size(); ++t) {
    TensorComparison comparison;
    comparison.tensor = network.tensors[t].name;
    comparison.node = workload.graph.nodes[index(lowering.tensors[t].node)].name;
    comparison.precision = network.tensors[t].precision;
    comparison.sqnr_db = 10 * std::log10(sums[t].signal / sums[t].noise);
    comparison.elements = sums[t].elements;
    if (network.tensors[t].precision.bits < kRawBits) comparison.differing = sums[t].differing;
    if (!result.first_diverging && comparison.sqnr_db < sqnr_floor_db) result.first_diverging = t;
    result.tensors.push_back(std::move(comparison));
  }
  return result;
}

LayerComparison compare_layers(const Workload& workload, const Weights& weights,
                               const IntegerNetwork& network, const ImageSet& images,
                               std::int64_t count, double sqnr_floor_db, int threads) {
  FloatExecutor executor(workload.graph, weights, threads);
  return compare_layers(
      workload,
      [&](const std::vector<FloatBatch>& inputs, const NodeObserver& observer) {
        return executor.run(inputs, observer);
      },
      network, images, count, sqnr_floor_db, threads);
}

}  // namespace bitpulse
