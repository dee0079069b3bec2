// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/activation_scales.h"

#include <algorithm>
#include <cmath>

#include "models/error.h"
#include "quant/float/operations.h"
#include "quant/inputs.h"
#include "quant/methods/hawq.h"
#include "quant/methods/histogram.h"
#include "quant/methods/scale_owners.h"

namespace bitpulse {

namespace {

constexpr int kStreamBits = 16;

std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }

/// A place in the float network whose values are measured: a tensor, or an operand of a sum.
struct Site {
  TensorOrigin origin;
  Histogram histogram;
  ValueRange range;  // HAWQ-V3's
};

/// Sites by node, each (node, activation) once.
class Sites {
 public:
  Sites(const QuantizationSpec& spec, std::size_t nodes) : spec_(spec), by_node_(nodes) {}

  std::size_t find(const TensorOrigin& origin) {
    for (const std::size_t i : by_node_[index(origin.node)])
      if (sites_[i].origin.activation == origin.activation) return i;
    by_node_[index(origin.node)].push_back(sites_.size());
    sites_.push_back({origin, {}, {}});
    return sites_.size() - 1;
  }

  void observe(NodeId node, const FloatBatch& value, int threads) {
    for (const std::size_t i : by_node_[index(node)]) {
      Site& site = sites_[i];
      if (site.origin.activation == Activation{}) {
        observe(site, value, threads);
      } else {
        observe(site, activate(value, site.origin.activation, threads), threads);
      }
    }
  }

  /// Of a tensor with this site's values.
  double scale(std::size_t i, Precision precision) const {
    return spec_.method == "hawq" && precision.bits < kStreamBits
               ? static_cast<double>(hawq_activation_scale(sites_[i].range, precision))
               : choose_scale(sites_[i].histogram, precision.range(), spec_);
  }
  const Histogram& histogram(std::size_t i) const { return sites_[i].histogram; }
  double largest(std::size_t i) const {
    return std::max(histogram(i).largest_positive(), histogram(i).largest_negative());
  }

 private:
  void observe(Site& site, const FloatBatch& value, int threads) const {
    site.histogram.add(value.data.data(), value.data.size(), threads);
    if (spec_.method != "hawq") return;
    const bool clips = spec_.calibration == CalibrationRule::kPercentile;
    site.range = hawq_next_range(
        site.range,
        hawq_batch_range(value.data.data(), value.data.size(), clips ? spec_.percentile : 100),
        spec_.hawq);
  }

  const QuantizationSpec& spec_;
  std::vector<Site> sites_;
  std::vector<std::vector<std::size_t>> by_node_;
};

/// The tensor that is the layer's 16-bit residual sum itself; -1 if none is.
TensorId stored_sum(const IntegerNetwork& network, const IntegerLayer& layer,
                    const LayerOrigin& origin) {
  for (std::size_t s = 0; s < layer.stores.size(); ++s) {
    const StoredTensor& tensor = network.tensors[index(layer.stores[s].tensor)];
    if (tensor.precision == Precision{16, true} && tensor.shape == layer.out &&
        layer.stores[s].reorg == 1 && !origin.activations[s].is_leaky())
      return layer.stores[s].tensor;
  }
  return -1;
}

double ratio_of(Multiplier multiplier) { return std::ldexp(multiplier.m, -multiplier.shift); }

/// The scale of a layer's residual sum (or low-bit main branch), from the ways it is stored: best
/// a plain copy, else a multiplier.
double residual_scale(const IntegerNetwork& network, const IntegerLayer& layer) {
  if (!layer.residual) return 0;
  double scale = 0;
  for (const Store& store : layer.stores) {
    const double stored = network.tensors[index(store.tensor)].scale;
    if (!store.requantizer.empty())
      scale = ratio_of(store.requantizer.positive[0]) * stored;
    else if (stored > 0)
      return stored;
    else
      for (const NetworkOutput& output : network.outputs)
        if (output.tensor == store.tensor)
          return output.scales[static_cast<std::size_t>(store.channel_offset)];
  }
  return scale;
}

}  // namespace

ActivationScales calibrate(const Workload& workload, const Lowering& lowering,
                           const Weights& weights, const ImageSet& images, int threads,
                           const OperandFilter& filter) {
  const IntegerNetwork& network = lowering.network;
  const QuantizationSpec& spec = workload.quantization;
  const std::int64_t count = std::min(images.count, spec.calibration_images);
  if (count < 1)
    throw Error(ErrorKind::kInvalidInput, "calibration: found no images, expected at least one");

  Sites sites(spec, workload.graph.nodes.size());
  const std::vector<std::size_t> owners = scale_owners(lowering);
  std::vector<std::size_t> tensor_site(network.tensors.size());
  for (std::size_t t = 0; t < network.tensors.size(); ++t)
    tensor_site[t] = sites.find(lowering.tensors[owners[t]]);
  struct SumSites {
    std::size_t main = 0, identity = 0, sum = 0;
  };
  std::vector<SumSites> sums(network.layers.size());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const LayerOrigin& origin = lowering.layers[i];
    if (origin.add < 0) continue;
    sums[i] = {sites.find({origin.main, {}}), sites.find({origin.identity, {}}),
               sites.find({origin.add, {}})};
  }

  FloatExecutor executor(workload.graph, weights, threads);
  std::int64_t batch = float_batch_size(workload.graph);
  if (spec.method == "hawq") batch = std::min(batch, spec.hawq.batch);
  for (std::int64_t first = 0; first < count; first += batch)
    executor.run(
        float_inputs(workload, images, first, std::min(batch, count - first)),
        [&](NodeId node, const FloatBatch& value) { sites.observe(node, value, threads); }, filter);

  ActivationScales scales;
  scales.tensors.assign(network.tensors.size(), 0);
  scales.residuals.assign(network.layers.size(), 0);
  for (std::size_t t = 0; t < network.tensors.size(); ++t)
    if (network.tensors[t].precision.bits < 32)
      scales.tensors[t] = sites.scale(tensor_site[t], network.tensors[t].precision);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const IntegerLayer& layer = network.layers[i];
    if (!layer.residual) continue;
    if (layer.residual->kind == Residual::Kind::kLowBit) {
      const auto* sum = std::get_if<ElementwiseOp>(&layer.op);
      scales.residuals[i] =
          sum ? scales.tensors[index(sum->input)]
              : choose_scale(sites.histogram(sums[i].main), layer.residual->main_clamp, spec);
      continue;
    }
    // HAWQ-V3 takes the range of the sum; its operands are included here, since each is clipped to
    // 16 bits before they are added and may cancel.
    const double largest = std::max(
        {sites.largest(sums[i].sum), sites.largest(sums[i].main), sites.largest(sums[i].identity)});
    const double scale = largest > 0 ? largest / 32767 : 1;
    scales.residuals[i] = scale;
    const TensorId stored = stored_sum(network, layer, lowering.layers[i]);
    if (stored >= 0) scales.tensors[index(stored)] = scale;
  }
  for (std::size_t t = network.tensors.size(); t-- > 0;)
    scales.tensors[t] = scales.tensors[owners[t]];
  return scales;
}

ActivationScales frozen_scales(const IntegerNetwork& frozen, const IntegerNetwork& structure,
                               const std::string& folder) {
  const auto fail = [&folder](const std::string& why) {
    throw Error(ErrorKind::kInvalidInput,
                "frozen scales of '" + folder + "' do not fit this network: " + why);
  };
  if (!frozen.has_parameters) fail("it has no parameters");
  if (frozen.tensors.size() != structure.tensors.size() ||
      frozen.layers.size() != structure.layers.size())
    fail("found " + std::to_string(frozen.layers.size()) + " layers and " +
         std::to_string(frozen.tensors.size()) + " tensors, expected " +
         std::to_string(structure.layers.size()) + " and " +
         std::to_string(structure.tensors.size()));
  ActivationScales scales;
  for (std::size_t t = 0; t < structure.tensors.size(); ++t) {
    const StoredTensor &found = frozen.tensors[t], &expected = structure.tensors[t];
    if (found.name != expected.name || found.shape != expected.shape ||
        found.precision != expected.precision)
      fail("tensor " + std::to_string(t) + " is '" + found.name + "', expected '" + expected.name +
           "' of the same shape");
    scales.tensors.push_back(found.scale);
  }
  for (std::size_t i = 0; i < structure.layers.size(); ++i)
    scales.residuals.push_back(residual_scale(frozen, frozen.layers[i]));
  return scales;
}

}  // namespace bitpulse
