// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stochastic gradient descent with momentum, rate and weight decay per group, as torch.optim.SGD
// computes it: v <- momentum v + g + decay p; p <- p - rate v.

#include <vector>

#include "quant/train/network.h"

namespace bitpulse {

struct ParameterGroup {
  std::vector<NamedTensor> parameters;
  double weight_decay = 0;
  double momentum = 0.9;
  double rate_factor = 1;  // of the rate that step() is given
};

class Sgd {
 public:
  explicit Sgd(std::vector<ParameterGroup> groups);

  void zero_gradients();
  /// Parameters without a gradient stay as they are.
  void step(double rate);

  /// The momenta, "momentum.<parameter>": with the parameters, all there is to keep.
  const std::vector<NamedTensor>& state() const { return momenta_; }
  const std::vector<ParameterGroup>& groups() const { return groups_; }

 private:
  std::vector<ParameterGroup> groups_;
  std::vector<NamedTensor> momenta_;  // in the order of the groups' parameters
};

}  // namespace bitpulse
