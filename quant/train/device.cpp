// SPDX-License-Identifier: Apache-2.0
#include "quant/train/device.h"

#include "models/error.h"

namespace bitpulse {

at::Device find_device(const std::string& name) {
  if (name == "cpu") return at::Device(at::kCPU);
  if (name != "cuda")
    throw Error(ErrorKind::kUsage, "device: found \"" + name + "\", expected cpu or cuda");
  if (!at::hasCUDA())
    throw Error(ErrorKind::kInvalidInput, "device cuda: this libtorch or machine has none");
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
  return at::Device(at::kCUDA);
}

}  // namespace bitpulse
