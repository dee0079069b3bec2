// SPDX-License-Identifier: Apache-2.0
#include "quant/train/sensitivity.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "models/error.h"
#include "models/io/safetensors.h"
#include "models/io/sha256.h"
#include "quant/lower/widths.h"
#include "quant/train/batches.h"
#include "quant/train/device.h"
#include "quant/train/network.h"

namespace bitpulse {

namespace {

constexpr double kAny = std::numeric_limits<double>::max();

const char* name_of(HessianProduct product) {
  return product == HessianProduct::kFiniteDifference ? "finite_difference" : "double_backward";
}

/// Of the layers, from a file that was made with the same options.
void take_traces(const JsonValue& file, const Workload& workload, const SensitivityOptions& options,
                 Sensitivity& result) {
  const auto expect = [](const JsonValue& found, bool is_same, const char* same) {
    if (!is_same) found.fail(std::string("that of the ") + same + ", whose traces are to be taken");
  };
  file.require_schema("bitpulse/hessian/1");
  const JsonValue weights = file.at("weights_sha256"), images = file.at("images"),
                  seed = file.at("seed"), method = file.at("method"), layers = file.at("layers");
  expect(weights, weights.text() == sha256_of_path(workload.weights_path), "same weights");
  expect(images, images.integer(1, std::int64_t{1} << 32) == result.images, "same images");
  expect(
      seed,
      seed.integer(0, std::int64_t{1} << 53) == static_cast<std::int64_t>(options.hutchinson.seed),
      "same seed");
  expect(method, method.text() == name_of(options.hutchinson.product), "same method");
  expect(layers, layers.size() == result.layers.size(), "same network");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const JsonValue name = layers[i].at("name"), draws = layers[i].at("draws");
    expect(name, name.text() == result.layers[i].name, "same network");
    result.layers[i].estimate = {layers[i].at("trace").number(-kAny, kAny),
                                 layers[i].at("standard_error").number(0, kAny),
                                 draws.integer(1, options.hutchinson.draws)};
  }
}

}  // namespace

Sensitivity sensitivity_of(const Workload& workload, const SensitivityOptions& options) {
  at::set_num_threads(options.threads);
  if (workload.graph.inputs.size() != 1 || workload.graph.outputs.size() != 1)
    throw Error(ErrorKind::kInvalidInput,
                "sensitivity: found a network of several inputs or outputs, expected one of each");
  if (workload.weights_path.empty())
    throw Error(ErrorKind::kInvalidInput,
                "sensitivity: found no \"weights\", expected those of a trained float network");
  const at::Device device = find_device(options.device);
  const ImageSet images = labelled_images(workload, Split::kTrain, options.images);
  TorchNetwork network(workload.graph, read_weights(workload.weights_path), device);

  std::vector<LabelledTensors> batches;
  for (std::int64_t first = 0; first < images.count; first += options.batch) {
    const LabelledBatch batch =
        plain_batch(images, workload.data, first, std::min(options.batch, images.count - first));
    const Shape& shape = images.shape;
    batches.push_back({to_tensor(batch.values, {batch.count, shape.c, shape.h, shape.w}, device),
                       at::tensor(batch.labels, at::kLong).to(device)});
  }

  Sensitivity result;
  result.images = images.count;
  std::vector<at::Tensor> blocks;
  std::vector<NodeId> nodes;
  for (std::size_t id = 0; id < workload.graph.nodes.size(); ++id) {
    const Node& node = workload.graph.nodes[id];
    if (weight_channels(node.layer) == 0) continue;
    blocks.push_back(network.tensor(node.name + ".weight"));
    nodes.push_back(static_cast<NodeId>(id));
    result.layers.push_back({node.name, blocks.back().numel(), {}, {}});
  }
  SummedLoss loss;
  loss.parts = static_cast<std::int64_t>(batches.size());
  loss.part = [&](std::int64_t part) {
    const LabelledTensors& batch = batches[static_cast<std::size_t>(part)];
    const auto count = static_cast<double>(batch.inputs.size(0));
    return at::cross_entropy_loss(network.forward(batch.inputs, false), batch.labels) *
           (count / static_cast<double>(images.count));
  };
  if (options.traces) {
    take_traces(*options.traces, workload, options, result);
  } else {
    const std::vector<TraceEstimate> traces = hutchinson_traces(blocks, loss, options.hutchinson);
    for (std::size_t i = 0; i < traces.size(); ++i) {
      const auto parameters = static_cast<double>(result.layers[i].parameters);
      result.layers[i].estimate = {traces[i].trace / parameters,
                                   traces[i].standard_error / parameters, traces[i].draws};
    }
  }
  if (options.activation_draws == 0) return result;
  HutchinsonOptions per_image = options.hutchinson;
  per_image.draws = options.activation_draws;
  const std::vector<ActivationTrace> activations = activation_traces(
      network, nodes, batches, per_image, options.threads, options.activation_progress);
  for (std::size_t i = 0; i < nodes.size(); ++i) result.layers[i].activation = activations[i];
  return result;
}

std::string to_json(const Sensitivity& sensitivity, const Workload& workload,
                    const SensitivityOptions& options) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const LayerTrace& layer : sensitivity.layers) {
    layers.push_back({{"name", layer.name},
                      {"parameters", layer.parameters},
                      {"trace", layer.estimate.trace},
                      {"standard_error", layer.estimate.standard_error},
                      {"draws", layer.estimate.draws}});
    if (!layer.activation) continue;
    const TraceEstimate& estimate = layer.activation->estimate;
    const auto elements = static_cast<double>(layer.activation->elements);
    nlohmann::ordered_json& json = layers.back();
    json["activations"] = layer.activation->elements;
    json["activation_trace"] = estimate.trace / elements;
    json["activation_standard_error"] = estimate.standard_error / elements;
    json["activation_draws"] = estimate.draws;
    for (const auto& [bits, error] : layer.activation->squared_error) {
      json["activation_loss"][std::to_string(bits)] = activation_loss(*layer.activation, bits);
    }
  }
  const nlohmann::ordered_json json{{"schema", "bitpulse/hessian/1"},
                                    {"network", workload.graph.name},
                                    {"weights_sha256", sha256_of_path(workload.weights_path)},
                                    {"images", sensitivity.images},
                                    {"seed", options.hutchinson.seed},
                                    {"method", name_of(options.hutchinson.product)},
                                    {"layers", std::move(layers)}};
  return json.dump(2) + '\n';
}

}  // namespace bitpulse
