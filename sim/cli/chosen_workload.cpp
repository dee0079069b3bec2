// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/chosen_workload.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "models/io/files.h"

namespace bitpulse {
namespace {

using Json = nlohmann::ordered_json;
/// Keys of an object that hold paths, and the paths as they were read: absolute.
using Paths = std::initializer_list<std::pair<const char*, const std::string*>>;

void make_absolute(Json& object, const Paths& paths) {
  for (const auto& [key, path] : paths) {
    if (object.contains(key)) object[key] = *path;
  }
}

}  // namespace

void write_chosen_workload(const WorkloadInput& input, const Allocation& allocation,
                           const std::string& path, const std::string& integers) {
  const Workload& workload = input.workload;
  const QuantizationSpec& spec = workload.quantization;
  Json document = input.document.raw();
  make_absolute(document, {{"weights", &workload.weights_path}});
  if (!workload.network_path.empty()) document["network"] = workload.network_path;
  if (document.contains("data")) {
    const DataSpec& data = workload.data;
    make_absolute(document["data"], {{"test", &data.test},
                                     {"test_labels", &data.test_labels},
                                     {"train", &data.train},
                                     {"train_labels", &data.train_labels}});
  }
  Json& quantization = document["quantization"];
  make_absolute(quantization,
                {{"integers", &spec.integers}, {"frozen_scales", &spec.frozen_scales}});
  if (quantization.contains("train")) {
    make_absolute(quantization["train"], {{"init", &spec.train.init}});
  }
  if (!integers.empty()) quantization["integers"] = integers;
  quantization.erase("bits");
  quantization["weights"] = quantization["activations"] = 8;
  quantization["first_last"] = spec.first_last;
  Json& layers = quantization["layers"];
  if (layers.is_null()) layers = Json::object();
  for (std::size_t l = 0; l < allocation.chosen.size(); ++l) {
    const BitCandidate& layer = allocation.candidates.layers[l];
    if (!layer.chooses) continue;
    layers[layer.name] = {{"weights", allocation.chosen[l].weights},
                          {"activations", allocation.chosen[l].activations}};
  }
  write_file_atomically(path, document.dump(2) + "\n");
}

}  // namespace bitpulse
