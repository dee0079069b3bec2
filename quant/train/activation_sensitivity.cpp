// SPDX-License-Identifier: Apache-2.0
#include "quant/train/activation_sensitivity.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/precision.h"
#include "models/random.h"
#include "quant/methods/histogram.h"

namespace bitpulse {

namespace {

constexpr std::uint64_t kImageStream = 4;  // beside those of batches.cpp and hutchinson.cpp
constexpr int kLeastBits = 2, kMostBits = 8;

/// Lets a function stand between a layer with weights and its input.
class LayerInputs : public QuantizerSet {
 public:
  using Function = std::function<at::Tensor(std::size_t layer, const at::Tensor& value)>;
  LayerInputs(const std::vector<NodeId>& layers, Function function)
      : layers_(layers), function_(std::move(function)) {}

  void begin(bool) override {}
  bool quantizes(NodeId node, std::size_t) const override { return place(node) < layers_.size(); }
  bool rectifies(NodeId, std::size_t) const override { return false; }
  at::Tensor activation(NodeId node, std::size_t, NodeId, const at::Tensor& value) override {
    return function_(place(node), value);
  }
  at::Tensor weight(NodeId, const at::Tensor& weight) override { return weight; }
  bool folded() const override { return false; }
  at::Tensor finish(NodeId, const at::Tensor& value) override { return value; }

 private:
  std::size_t place(NodeId node) const {
    return static_cast<std::size_t>(std::find(layers_.begin(), layers_.end(), node) -
                                    layers_.begin());
  }

  const std::vector<NodeId>& layers_;
  Function function_;
};

/// Squared error at the scale that makes it least, which calibration takes, too.
std::map<int, double> squared_errors(const Histogram& histogram, std::int64_t images) {
  std::map<int, double> errors;
  for (int bits = kLeastBits; bits <= kMostBits; ++bits) {
    const bool is_signed = histogram.largest_negative() > 0;
    const CodeRange range = Precision{static_cast<std::uint8_t>(bits), is_signed}.range();
    const double scale = choose_scale(histogram, range, QuantizationSpec{});
    errors[bits] = histogram.squared_error(scale, range) / static_cast<double>(images);
  }
  return errors;
}

}  // namespace

std::vector<ActivationTrace> activation_traces(TorchNetwork& network,
                                               const std::vector<NodeId>& layers,
                                               const std::vector<LabelledTensors>& batches,
                                               const HutchinsonOptions& hutchinson, int threads,
                                               const ActivationProgress& progress) {
  std::int64_t images = 0, done = 0;
  for (const LabelledTensors& batch : batches) images += batch.inputs.size(0);
  if (progress) progress(0, images);
  std::vector<ActivationTrace> traces(layers.size());
  std::vector<Histogram> histograms(layers.size());
  std::vector<double> variances(layers.size(), 0);
  for (std::size_t b = 0; b < batches.size(); ++b) {
    const LabelledTensors& batch = batches[b];
    const std::int64_t count = batch.inputs.size(0);
    std::vector<at::Tensor> offsets(layers.size());  // zeros added to the inputs
    LayerInputs measured(layers, [&](std::size_t layer, const at::Tensor& value) {
      const Tensor<float> values = to_values(value);
      histograms[layer].add(values.data.data(), values.data.size(), threads);
      traces[layer].elements = value.numel() / count;
      offsets[layer] = at::zeros_like(value).set_requires_grad(true);
      return value;
    });
    {
      const at::NoGradGuard no_gradients;
      network.forward(batch.inputs, false, &measured);
    }
    LayerInputs moved(
        layers, [&](std::size_t layer, const at::Tensor& value) { return value + offsets[layer]; });
    const double share = static_cast<double>(count) / static_cast<double>(images);
    const SummedLoss loss{1, [&](std::int64_t) {
                            return at::cross_entropy_loss(
                                       network.forward(batch.inputs, false, &moved), batch.labels) *
                                   share;
                          }};
    HutchinsonOptions options = hutchinson;
    options.seed = RandomStream{hutchinson.seed, kImageStream, b}.bits();
    options.tolerance = 0;
    options.progress = nullptr;
    const std::vector<TraceEstimate> estimates = hutchinson_traces(offsets, loss, options);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      traces[i].estimate.trace += estimates[i].trace;
      traces[i].estimate.draws = estimates[i].draws;
      variances[i] += estimates[i].standard_error * estimates[i].standard_error;
    }
    done += count;
    if (progress) progress(done, images);
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    traces[i].estimate.standard_error = std::sqrt(variances[i]);
    traces[i].squared_error = squared_errors(histograms[i], images);
  }
  return traces;
}

double activation_loss(const ActivationTrace& activation, int bits) {
  const TraceEstimate& estimate = activation.estimate;
  return std::max(estimate.trace, estimate.standard_error) /
         static_cast<double>(activation.elements) * activation.squared_error.at(bits);
}

}  // namespace bitpulse
