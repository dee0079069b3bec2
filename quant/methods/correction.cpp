// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/correction.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "quant/float/operations.h"
#include "quant/float/parameters.h"
#include "quant/inputs.h"

namespace bitpulse {

namespace {

std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }

/// The node whose float output is the layer's sum, before activation and residual.
NodeId sum_node(const LayerOrigin& origin) {
  return origin.norms.empty() ? origin.op : origin.norms.back();
}

/// Real mean and variance of each channel of raw NHWC sums.
ChannelStatistics raw_statistics(const std::vector<std::int32_t>& sums,
                                 const std::vector<double>& units) {
  const std::size_t channels = units.size(), pixels = sums.size() / channels;
  ChannelStatistics result{std::vector<double>(channels), std::vector<double>(channels)};
  const auto count = static_cast<double>(pixels);
  for (std::size_t i = 0; i < sums.size(); ++i)
    result.mean[i % channels] += static_cast<double>(sums[i]) / count;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double d = static_cast<double>(sums[i]) - result.mean[i % channels];
    result.variance[i % channels] += d * d / count;
  }
  for (std::size_t c = 0; c < channels; ++c) {
    result.mean[c] *= units[c];
    result.variance[c] *= units[c] * units[c];
  }
  return result;
}

/// Runs the integer network one layer at a time over tensors that it keeps while they are needed.
class LayerByLayer {
 public:
  LayerByLayer(IntegerNetwork& network, TensorCodes inputs, std::int64_t batch, int threads)
      : network_(network), codes_(std::move(inputs)), batch_(batch), threads_(threads) {
    last_read_.assign(network.tensors.size(), 0);
    for (std::size_t i = 0; i < network.layers.size(); ++i)
      for (const TensorId id : reads(network.layers[i])) last_read_[index(id)] = i;
  }

  /// value = saturate32(sum + bias) of a GEMM layer.
  std::vector<std::int32_t> raw_sums(std::size_t i) {
    IntegerLayer probe = network_.layers[i];
    probe.residual.reset();
    Store store;
    store.tensor = static_cast<TensorId>(network_.tensors.size());
    store.clamp = Precision{32, true}.range();
    probe.stores = {store};
    StoredTensor raw;
    raw.name = "sums";
    raw.shape = probe.out;
    raw.precision = {32, true};
    IntegerNetwork one = around(std::move(probe));
    one.tensors.push_back(raw);
    execute_one(one);
    std::vector<std::int32_t> sums = std::move(codes_.back());
    codes_.pop_back();
    return sums;
  }

  void advance(std::size_t i) {
    execute_one(around(network_.layers[i]));
    for (const TensorId id : reads(network_.layers[i]))
      if (last_read_[index(id)] <= i) codes_[index(id)] = {};
  }

 private:
  /// The tensors a layer reads, each once.
  static std::vector<TensorId> reads(const IntegerLayer& layer) {
    std::vector<TensorId> ids;
    std::visit([&ids](const auto& op) { ids.push_back(op.input); }, layer.op);
    if (layer.residual && layer.residual->identity != ids[0])
      ids.push_back(layer.residual->identity);
    return ids;
  }

  /// A network of one layer, whose inputs are the tensors that it reads.
  IntegerNetwork around(IntegerLayer layer) const {
    IntegerNetwork one;
    one.name = network_.name;
    one.rounding = network_.rounding;
    one.has_parameters = true;
    one.tensors = network_.tensors;
    for (const TensorId id : reads(layer)) {
      const StoredTensor& tensor = network_.tensors[index(id)];
      InputStore store;
      store.tensor = id;
      store.codes.assign(static_cast<std::size_t>(tensor.shape.c) * 256, 0);
      one.inputs.push_back({tensor.name, tensor.shape, {store}});
    }
    one.layers.push_back(std::move(layer));
    return one;
  }

  /// Lends the layer the tensors it touches and takes them back.
  void execute_one(const IntegerNetwork& one) {
    std::vector<TensorId> touched = reads(one.layers[0]);
    for (const Store& store : one.layers[0].stores)
      if (std::find(touched.begin(), touched.end(), store.tensor) == touched.end())
        touched.push_back(store.tensor);
    codes_.resize(one.tensors.size());
    TensorCodes lent(one.tensors.size());
    for (const TensorId id : touched) std::swap(lent[index(id)], codes_[index(id)]);
    ExecuteOptions options;
    options.threads = threads_;
    options.keep_all_tensors = true;
    TensorCodes result = execute(one, std::move(lent), batch_, options).tensors;
    for (const TensorId id : touched) std::swap(codes_[index(id)], result[index(id)]);
  }

  IntegerNetwork& network_;
  TensorCodes codes_;
  std::int64_t batch_;
  int threads_;
  std::vector<std::size_t> last_read_;
};

std::int64_t image_count(const IntegerNetwork& network, std::int64_t wanted) {
  std::int64_t bytes = 1;
  for (const StoredTensor& tensor : network.tensors)
    bytes += 2 * static_cast<std::int64_t>(sizeof(std::int32_t)) * tensor.shape.elements();
  return std::clamp<std::int64_t>((std::int64_t{1} << 29) / bytes, 1, wanted);
}

/// Mean of every layer's sum in the float network.
std::vector<std::vector<double>> float_means(const Workload& workload, const Weights& weights,
                                             const Lowering& lowering, const ImageSet& images,
                                             std::int64_t count, int threads) {
  std::vector<std::vector<double>> node_means(workload.graph.nodes.size());
  for (const LayerOrigin& origin : lowering.layers)
    node_means[index(sum_node(origin))].assign(
        static_cast<std::size_t>(workload.graph.nodes[index(sum_node(origin))].shape.c), 0);
  FloatExecutor executor(workload.graph, weights, threads);
  const std::int64_t batch = float_batch_size(workload.graph);
  for (std::int64_t first = 0; first < count; first += batch)
    executor.run(float_inputs(workload, images, first, std::min(batch, count - first)),
                 [&](NodeId node, const FloatBatch& value) {
                   std::vector<double>& means = node_means[index(node)];
                   if (means.empty()) return;
                   const ChannelStatistics statistics = channel_statistics(value, threads);
                   for (std::size_t c = 0; c < means.size(); ++c)
                     means[c] += statistics.mean[c] * static_cast<double>(value.batch) /
                                 static_cast<double>(count);
                 });
  return node_means;
}

/// z = f * conv + b' measured in the quantized network becomes gamma * (conv - mean) / sqrt(var +
/// eps) + beta with its own statistics; var(z) = f^2 * var(conv).
void reestimate(const Weights& weights, const Node& norm, const ChannelStatistics& measured,
                GemmParameters& gemm) {
  const std::vector<std::int64_t> dims{norm.shape.c};
  const auto& gamma = parameter(weights, norm, "weight", dims);
  const auto& beta = parameter(weights, norm, "bias", dims);
  const ChannelAffine folded = batch_norm_affine(weights, norm);
  const double eps = std::get<BatchNorm>(norm.layer).eps;
  for (std::size_t c = 0; c < gemm.scales.size(); ++c) {
    const double f = folded.scale[c];
    double stretch = 1;  // a channel that never varies says nothing about its scale
    if (measured.variance[c] > 0)
      stretch =
          std::abs(static_cast<double>(gamma[c])) / std::sqrt(measured.variance[c] + eps * f * f);
    gemm.scales[c] *= stretch;
    gemm.bias[c] = (gemm.bias[c] - measured.mean[c]) * stretch + static_cast<double>(beta[c]);
  }
}

}  // namespace

void correct_channels(const Workload& workload, const Weights& weights, const ImageSet& images,
                      const ActivationScales& scales, std::vector<GemmParameters>& gemms,
                      Lowering& lowering, int threads) {
  const QuantizationSpec& spec = workload.quantization;
  IntegerNetwork& network = lowering.network;
  const std::int64_t count = image_count(network, std::min(images.count, spec.calibration_images));
  std::vector<std::vector<double>> expected;
  if (spec.bias_correction)
    expected = float_means(workload, weights, lowering, images, count, threads);

  LayerByLayer run(network, input_codes(workload, network, images, 0, count), count, threads);
  const auto measure = [&](std::size_t i, const GemmOp& op) {
    std::vector<double> units = gemms[i].scales;
    for (double& unit : units) unit *= scales.tensors[index(op.input)];
    return raw_statistics(run.raw_sums(i), units);
  };
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (const auto* op = std::get_if<GemmOp>(&network.layers[i].op)) {
      const LayerOrigin& origin = lowering.layers[i];
      if (spec.bn_reestimation && !origin.norms.empty()) {
        reestimate(weights, workload.graph.nodes[index(origin.norms.back())], measure(i, *op),
                   gemms[i]);
        export_layer(workload, i, gemms[i], scales, lowering);
      }
      if (spec.bias_correction) {
        const ChannelStatistics measured = measure(i, *op);
        const std::vector<double>& target = expected[index(sum_node(origin))];
        for (std::size_t c = 0; c < target.size(); ++c)
          gemms[i].bias[c] += target[c] - measured.mean[c];
        export_layer(workload, i, gemms[i], scales, lowering);
      }
    }
    run.advance(i);
  }
}

}  // namespace bitpulse
