// SPDX-License-Identifier: Apache-2.0
#include "quant/train/checkpoint.h"

#include <cstring>

#include "models/error.h"
#include "models/io/safetensors.h"
#include "models/text.h"

namespace bitpulse {

void save_tensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                  const Facts& facts) {
  SafeTensors file;
  file.metadata = facts;
  for (const NamedTensor& named : tensors) {
    const Tensor<float> values = to_values(named.value);
    SafeTensor& stored = file.tensors[named.name];
    stored.dtype = "F32";
    stored.dims = values.dims;
    stored.bytes.resize(values.data.size() * sizeof(float));
    std::memcpy(stored.bytes.data(), values.data.data(), stored.bytes.size());
  }
  write_safetensors(path, file);
}

Facts load_tensors(const std::string& path, const std::vector<NamedTensor>& tensors) {
  const SafeTensors file = read_safetensors(path);
  const at::NoGradGuard no_gradients;
  for (const NamedTensor& named : tensors) {
    const auto found = file.tensors.find(named.name);
    if (found == file.tensors.end() || found->second.dtype != "F32" ||
        found->second.dims != named.value.sizes().vec()) {
      throw Error(ErrorKind::kInvalidInput,
                  printable(path, 400) + ": tensor '" + printable(named.name) +
                      "' is missing or has another shape; it was made by another training");
    }
    std::vector<float> values(found->second.bytes.size() / sizeof(float));
    std::memcpy(values.data(), found->second.bytes.data(), found->second.bytes.size());
    at::Tensor target = named.value;
    target.copy_(to_tensor(values, found->second.dims, at::Device(at::kCPU)));
  }
  return file.metadata;
}

}  // namespace bitpulse
