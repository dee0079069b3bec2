// SPDX-License-Identifier: Apache-2.0
#include "models/workload.h"

#include <algorithm>

namespace bitpulse {

std::vector<std::string> data_files(const Workload& workload) {
  const DataSpec& data = workload.data;
  std::vector<std::string> files{workload.weights_path,
                                 workload.quantization.frozen_scales,
                                 data.test,
                                 data.test_labels,
                                 data.train,
                                 data.train_labels};
  const std::string& integers = workload.quantization.integers;
  if (!integers.empty()) {
    files.push_back(integers + "/network.json");
    files.push_back(integers + "/tensors.safetensors");
  }
  const auto is_none = [&](const std::string& file) {  // the network itself is read before
    return file.empty() || file == workload.network_path;
  };
  files.erase(std::remove_if(files.begin(), files.end(), is_none), files.end());
  return files;
}

}  // namespace bitpulse
