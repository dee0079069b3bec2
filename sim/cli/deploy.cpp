// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/deploy.h"

#include "models/error.h"
#include "models/io/safetensors.h"
#include "models/text.h"
#include "quant/float/float_executor.h"
#include "quant/methods/ptq.h"

namespace bitpulse {
namespace {

constexpr Method kMethods[] = {
    {"ptq", "post-training: per-channel weights, calibrated activations, dyadic requantizers",
     quantize_ptq},
};

const Node& input_node(const Graph& graph) {
  return graph.nodes[static_cast<std::size_t>(graph.inputs.front())];
}

}  // namespace

const std::vector<Method>& methods() {
  static const std::vector<Method> table(std::begin(kMethods), std::end(kMethods));
  return table;
}

std::vector<std::string> weight_files(const Workload& workload) {
  if (workload.weights_path.empty()) return {};
  return {workload.weights_path};
}

std::vector<std::string> image_files(const DataSpec& data, Split split) {
  if (data.format == DataFormat::kNone) return {};
  std::vector<std::string> files{split == Split::kTest ? data.test : data.train};
  const std::string& labels = split == Split::kTest ? data.test_labels : data.train_labels;
  if (!labels.empty()) files.push_back(labels);
  return files;
}

Weights load_weights(const Workload& workload, int threads) {
  if (!workload.weights_path.empty()) return read_weights(workload.weights_path);
  return seeded_weights(workload.graph, workload.data, workload.seed, threads);
}

ImageSet load_images(const Workload& workload, Split split, std::int64_t first,
                     std::int64_t count) {
  const Shape& shape = input_node(workload.graph).shape;
  if (workload.data.format == DataFormat::kNone) {
    return seeded_images(shape, first + count, workload.seed + (split == Split::kTrain ? 1 : 0));
  }
  return read_images(workload.data, split, shape, 0, first, count);
}

IntegerNetwork deploy(const Workload& workload, const Weights& weights, int threads,
                      Progress& progress) {
  for (const Method& method : methods()) {
    if (workload.quantization.method != method.name) continue;
    progress.phase("reading calibration images");
    const Split split = workload.data.train.empty() ? Split::kTest : Split::kTrain;
    const ImageSet images =
        load_images(workload, split, 0, workload.quantization.calibration_images);
    progress.phase("quantizing");
    return method.quantize(workload, weights, images, threads);
  }
  throw Error(ErrorKind::kInvalidInput,
              "quantization method " + printable(workload.quantization.method) + " is unknown");
}

}  // namespace bitpulse
