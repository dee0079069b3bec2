// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rules of quant/methods/lsq.h, llsq.h and hawq.h as differentiable operations on tensors. On
// the processor they are one fused pass each way, cut among threads in blocks whose sums do not
// depend on the number of threads; elsewhere they are composed of tensor operations.

#include <ATen/ATen.h>

#include "models/precision.h"
#include "quant/methods/llsq.h"

namespace bitpulse {

/// How a tensor is quantized: its grid, and how its step learns.
struct FakeQuant {
  CodeRange range;
  Rounding rounding = Rounding::kHalfEven;
  double gradient_scale = 1;  // LSQ: g
  bool composed = false;      // tensor operations on the processor, too
};

/// LSQ: step * round(clip(v / step)), differentiable by v and by step.
///
/// v      float, any shape
/// step   float [1], or [v.size(0)]: one per slice of the first dimension
at::Tensor lsq_fake_quantize(const at::Tensor& v, const at::Tensor& step, const FakeQuant& how);

/// LLSQ: the same values. The scale's gradient is the simulated one of `moves`, whatever the loss;
/// weights pass every gradient, activations those strictly inside.
///
/// moves  float, as scale: 1 grow, 0 keep, -1 shrink
at::Tensor llsq_fake_quantize(const at::Tensor& v, const at::Tensor& scale, const at::Tensor& moves,
                              bool is_weight, const FakeQuant& how);

/// The same values; every gradient passes, and the step has none (HAWQ-V3).
at::Tensor straight_through_quantize(const at::Tensor& v, const at::Tensor& step,
                                     const FakeQuant& how);

/// The decision of each slice (see llsq_decide).
at::Tensor llsq_moves(const at::Tensor& v, const at::Tensor& scale, const FakeQuant& how,
                      double ratio, bool absolute);

}  // namespace bitpulse
