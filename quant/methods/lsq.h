// SPDX-License-Identifier: Apache-2.0
#pragma once

// Learned Step Size Quantization (Esser et al., "Learned Step Size Quantization", ICLR 2020): the
// quantizer, its gradients and its first step, as plain functions over floats. Q_N and Q_P of the
// paper are -range.min and range.max. Sums are formed in blocks of fixed size, so results do not
// depend on how a tensor is cut among threads at multiples of kLsqBlock.

#include <cstddef>
#include <cstdint>

#include "models/precision.h"

namespace bitpulse {

/// Elements whose gradients are summed in one order.
inline constexpr std::size_t kLsqBlock = 4096;

/// round(clip(v / step, -Q_N, Q_P)), Eq. 1. Ties as `rounding` says: half even in the paper's
/// framework; training activations by the rule of the machine leaves one difference less.
///
/// step    > 0
/// range   within +-2^15, so that floats hold every code
float lsq_code(float v, float step, CodeRange range, Rounding rounding);

/// out = step * code, Eq. 2. `out` may be `v`.
void lsq_forward(const float* v, std::size_t count, float step, CodeRange range, Rounding rounding,
                 float* out);

/// Eq. 3 and the mask of the straight-through estimator (Eq. 5): with u = v / step
///   d out / d step = round(u) - u  for -Q_N < u < Q_P,  -Q_N for u <= -Q_N,  Q_P for u >= Q_P
///   d out / d v    = 1             for -Q_N < u < Q_P,  else 0
///
/// gradient    of the loss by `out`
/// v_gradient  written; of the loss by `v`
/// returns     of the loss by the step, not yet scaled by lsq_gradient_scale()
double lsq_backward(const float* v, const float* gradient, std::size_t count, float step,
                    CodeRange range, Rounding rounding, float* v_gradient);

/// g = 1 / sqrt(N Q_P), section 2.2. `elements` is the number of weights of a layer, or of
/// features: those of one image (the default here: with a loss averaged over the batch the step's
/// gradient does not grow with the batch), or of the whole batch.
double lsq_gradient_scale(std::int64_t elements, CodeRange range);

/// 2 mean|v| / sqrt(Q_P), section 2.1; 0 for zeros.
double lsq_first_step(const float* v, std::size_t count, CodeRange range);

/// The step of least squared error; 0 for zeros.
double least_error_step(const float* v, std::size_t count, CodeRange range);

}  // namespace bitpulse
