// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/accuracy.h"

#include <filesystem>

#include "sim/cosim/reference.h"
#include "sim/fast/fast_engine.h"
#include "sim/schedule/compile.h"

namespace bitpulse {

std::vector<LayerAccumulation> accumulation_on(const std::optional<Machine>& machine,
                                               const IntegerNetwork& network, std::int64_t batch) {
  if (!machine) return {};
  return accumulation_of(compile(network, *machine, {batch}, FastEngine::timer),
                         network.layers.size());
}

Accuracy measure_accuracy(const Workload& workload, const Deployment& deployment,
                          const std::vector<LayerAccumulation>& accumulation, std::int64_t images,
                          std::int64_t twin_images, int threads, Progress& progress) {
  progress.phase("reading test images");
  const ImageSet test = load_images(workload, Split::kTest, images);
  progress.phase("measuring accuracy", test.count);
  EvaluateOptions options;
  options.twin_images = twin_images;
  options.threads = threads;
  options.accumulation = accumulation;
  options.progress = [&](std::int64_t done) { progress.update(done); };
  return evaluate(workload, deployment.weights, deployment.network, test, options);
}

std::string dataset_name(const DataSpec& data) {
  constexpr const char* kFormats[] = {"seeded", "cifar10", "mnist", "images", "figures"};
  const std::string file = std::filesystem::path(data.test).filename().string();
  return kFormats[static_cast<std::size_t>(data.format)] + (file.empty() ? "" : ' ' + file);
}

}  // namespace bitpulse
