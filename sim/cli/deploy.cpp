// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/deploy.h"

#include <algorithm>

#include "models/error.h"
#include "models/io/safetensors.h"
#include "models/text.h"
#include "quant/float/float_executor.h"
#include "quant/methods/ptq.h"

namespace bitpulse {
namespace {

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

}  // namespace

const std::vector<Method>& methods() {
  static const std::vector<Method> table{
      {"ptq", "post-training: per-channel weights, calibrated activations, dyadic requantizers",
       quantize_ptq},
  };
  return table;
}

std::vector<std::string> data_files(const Workload& workload) {
  const DataSpec& data = workload.data;
  std::vector<std::string> files{workload.weights_path,
                                 workload.quantization.frozen_scales,
                                 data.test,
                                 data.test_labels,
                                 data.train,
                                 data.train_labels};
  files.erase(std::remove(files.begin(), files.end(), ""), files.end());
  return files;
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

Deployment deploy(const Workload& workload, int threads, Progress& progress) {
  const Method& method = method_of(workload);
  Deployment deployment;
  if (workload.weights_path.empty()) {
    progress.phase("making weights from the seed");
    deployment.weights = seeded_weights(workload.graph, workload.data, workload.seed, threads);
  } else {
    progress.phase("reading weights");
    deployment.weights = read_weights(workload.weights_path);
  }
  progress.phase("quantizing");
  const bool has_train = workload.data.format == DataFormat::kNone || !workload.data.train.empty();
  const ImageSet calibration = load_images(workload, has_train ? Split::kTrain : Split::kTest,
                                           workload.quantization.calibration_images);
  deployment.network = method.quantize(workload, deployment.weights, calibration, threads);
  return deployment;
}

}  // namespace bitpulse
