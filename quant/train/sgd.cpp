// SPDX-License-Identifier: Apache-2.0
#include "quant/train/sgd.h"

#include <utility>

namespace bitpulse {

Sgd::Sgd(std::vector<ParameterGroup> groups) : groups_(std::move(groups)) {
  for (const ParameterGroup& group : groups_)
    for (const NamedTensor& parameter : group.parameters)
      momenta_.push_back({"momentum." + parameter.name, at::zeros_like(parameter.value.detach())});
}

void Sgd::zero_gradients() {
  for (ParameterGroup& group : groups_)
    for (NamedTensor& parameter : group.parameters) parameter.value.mutable_grad() = at::Tensor();
}

void Sgd::step(double rate) {
  const at::NoGradGuard no_gradients;
  std::size_t i = 0;
  for (ParameterGroup& group : groups_)
    for (NamedTensor& parameter : group.parameters) {
      at::Tensor& momentum = momenta_[i++].value;
      if (!parameter.value.grad().defined()) continue;
      momentum.mul_(group.momentum).add_(parameter.value.grad());
      if (group.weight_decay != 0) momentum.add_(parameter.value, group.weight_decay);
      parameter.value.add_(momentum, -rate * group.rate_factor);
    }
}

}  // namespace bitpulse
