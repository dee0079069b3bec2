// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/deploy.h"

#include <algorithm>
#include <filesystem>

#include "models/error.h"
#include "models/io/safetensors.h"
#include "models/text.h"
#include "quant/float/float_executor.h"
#include "quant/float/parameters.h"
#include "quant/integer/network_io.h"
#include "quant/lower.h"
#include "quant/methods/learned.h"
#include "quant/methods/ptq.h"

namespace bitpulse {
namespace {

Weights fitting_weights(const Workload& workload) {
  Weights weights = read_weights(workload.weights_path);
  try {
    check_parameters(workload.graph, weights);
  } catch (const Error& error) {
    throw Error(error.kind(), printable(workload.weights_path, 400) + ": " + error.what());
  }
  return weights;
}

IntegerNetwork load_integers(const Workload& workload) {
  const std::string& folder = workload.quantization.integers;
  IntegerNetwork network = load_network(folder);
  const IntegerNetwork wanted = lower(workload);
  const auto same = [](const StoredTensor& a, const StoredTensor& b) {
    return a.name == b.name && a.shape == b.shape && a.precision == b.precision;
  };
  if (network.layers.size() != wanted.layers.size() || network.rounding != wanted.rounding ||
      !std::equal(network.tensors.begin(), network.tensors.end(), wanted.tensors.begin(),
                  wanted.tensors.end(), same)) {
    throw Error(ErrorKind::kInvalidInput,
                printable(folder, 400) +
                    ": found an integer network of other layers, widths or "
                    "rounding, expected one made from this workload");
  }
  return network;
}

}  // namespace

const std::vector<Method>& methods() {
  static const std::vector<Method> table{
      {"ptq", "post-training: per-channel weights, calibrated activations, dyadic requantizers",
       quantize_ptq},
      {"lsq", "learned step sizes (Esser et al., ICLR 2020)", quantize_learned},
      {"llsq", "learned linear symmetric quantization (Zhao et al., ICLR 2020)", quantize_learned},
      {"hawq", "averaged ranges, post-training or fine-tuned (Yao et al., ICML 2021)",
       quantize_ptq},
  };
  return table;
}

const Method& method_of(const Workload& workload) {
  const std::string& name = workload.quantization.method;
  std::vector<std::string_view> known;
  for (const Method& method : methods()) {
    if (name == method.name) return method;
    known.emplace_back(method.name);
  }
  throw Error(ErrorKind::kInvalidInput, "quantization method: found \"" + printable(name) +
                                            "\", expected one of: " + join(known));
}

ImageSet load_images(const Workload& workload, Split split, std::int64_t count) {
  const Graph& graph = workload.graph;
  const Shape& shape = graph.nodes[static_cast<std::size_t>(graph.inputs.front())].shape;
  if (workload.data.format == DataFormat::kNone) {
    // Calibration and test images differ, as they do in real data.
    const std::uint64_t stream = split == Split::kTrain ? 1 : 0;
    return seeded_images(shape, count, workload.seed + stream);
  }
  const Shape& output = graph.nodes[static_cast<std::size_t>(graph.outputs.front())].shape;
  return read_images(workload.data, split, shape, output.elements(), 0, count);
}

std::optional<Weights> trained_model(const Workload& workload) {
  const QuantizationSpec& spec = workload.quantization;
  const std::string file = spec.integers + "/model.safetensors";
  if (!spec.learns || spec.integers.empty() || !std::filesystem::exists(file)) {
    return std::nullopt;
  }
  return read_weights(file);
}

IntegerNetwork quantize(const Workload& workload, const Weights& weights, int threads) {
  const bool has_train = workload.data.format == DataFormat::kNone || workload.data.has_train();
  const ImageSet calibration = load_images(workload, has_train ? Split::kTrain : Split::kTest,
                                           workload.quantization.calibration_images);
  return method_of(workload).quantize(workload, weights, calibration, threads);
}

Deployment deploy(const Workload& workload, int threads, Progress& progress) {
  const QuantizationSpec& spec = workload.quantization;
  method_of(workload);  // refuses one that makes no integers
  if (spec.learns && spec.integers.empty()) {
    throw Error(ErrorKind::kInvalidInput,
                "quantization method \"" + spec.method +
                    "\" learns, and no integers are given: run `bitpulse quantize WORKLOAD --out "
                    "DIR`, then name DIR in /quantization/integers");
  }
  Deployment deployment;
  if (workload.weights_path.empty()) {
    progress.phase("making weights from the seed");
    deployment.weights = seeded_weights(workload.graph, workload.data, workload.seed, threads);
  } else {
    progress.phase("reading weights");
    deployment.weights = fitting_weights(workload);
  }
  progress.phase(spec.integers.empty() ? "quantizing" : "reading integers");
  deployment.network = spec.integers.empty() ? quantize(workload, deployment.weights, threads)
                                             : load_integers(workload);
  return deployment;
}

}  // namespace bitpulse
