// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a training model puts in the place of a quantizer: the value on its grid, with the gradients
// its method defines. One per weight tensor and per activation of a network.

#include <ATen/ATen.h>

#include <cstdint>

namespace bitpulse {

class FakeQuantizer {
 public:
  virtual ~FakeQuantizer() = default;

  /// The value on the grid {code * step}, same shape. The first value seen sets the steps, unless
  /// they were loaded before.
  ///
  /// training  false: nothing is learned or updated from this value
  virtual at::Tensor forward(const at::Tensor& value, bool training) = 0;

  /// The steps, [1] or [output channels]; 0 before they are set. A leaf: the optimizer moves it by
  /// its gradient, without weight decay.
  virtual at::Tensor step() const = 0;

  /// False: the steps are a function of the value and no part of a model.
  virtual bool keeps_steps() const { return true; }

  /// {min, max} that the steps follow, kept beside them; undefined where there is none.
  virtual at::Tensor range() const { return {}; }

  /// From now on nothing changes but what the optimizer moves.
  virtual void freeze() {}

  /// Called after every step of the optimizer.
  virtual void after_step() = 0;

  /// How often after_step() found a step below its floor and lifted it.
  virtual std::int64_t floor_hits() const = 0;
};

}  // namespace bitpulse
