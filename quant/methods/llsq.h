// SPDX-License-Identifier: Apache-2.0
#pragma once

// Linear Symmetric Quantization (Zhao, Wang, Cai, Liu, Zhang, "Linear Symmetric Quantization of
// Neural Networks for Low-precision Integer Hardware", ICLR 2020): scales that follow the local
// quantization error instead of the task's loss. Where the paper leaves something open the rule is
// that of the authors' code. Its 8-bit scales are truncated_multipliers() of multiplier.h.

#include <cstddef>
#include <cstdint>

#include "models/precision.h"

namespace bitpulse {

/// Error of a scale and of its neighbours: mean squared, or mean absolute, difference of x and
/// s * clip(round(x / s)) for s = a, a / ratio, a * ratio.
struct LlsqErrors {
  double same = 0, smaller = 0, bigger = 0;
};
LlsqErrors llsq_errors(const float* x, std::size_t count, float scale, CodeRange range,
                       double ratio, bool absolute);

enum class LlsqMove : std::int8_t { kShrink = -1, kKeep = 0, kGrow = 1 };

/// Algorithm 1's comparison with its ties: equal errors of same and smaller shrink, of same and
/// bigger grow, and at a local maximum the better neighbour wins, the smaller one if equal. Three
/// equal errors (a tensor of zeros) shrink in the authors' code, so that the scale of a dead layer
/// decays for ever; `equal_keeps` keeps it.
LlsqMove llsq_decide(const LlsqErrors& errors, bool equal_keeps = true);

/// The simulated gradient -a^2 (grow), 0 (keep) or a^2 (shrink); it replaces the task's.
float llsq_gradient(LlsqMove move, float scale);

/// The variant with an exponential moving average: decay * a + (1 - decay) * neighbour.
float llsq_ema(LlsqMove move, float scale, double decay, double ratio);

/// Decays of the authors' EMA variant.
inline constexpr double kLlsqConvDecay = 0.99, kLlsqLinearDecay = 0.9, kLlsqActivationDecay = 0.999;

/// First scales. Weights: max|w| / 2^(b-1) of a whole layer, max|w| / Q_P of one channel.
/// Activations: max|x| / (Q_P + 1), for 2 and 3 bits max|x| / (2 Q_P). 0 for zeros.
double llsq_first_weight_scale(const float* w, std::size_t count, CodeRange range,
                               bool per_channel);
double llsq_first_activation_scale(const float* x, std::size_t count, Precision precision);

/// Power-of-two activation scale: 2^ceil(log2(max|x| / 2^b)), signed max|x| / 2^(b-1).
double llsq_power_of_two_scale(const float* x, std::size_t count, Precision precision);

/// Derivatives of the straight-through estimators. Weights pass every gradient; activations pass
/// it where Q_N a < x < Q_P a, strictly.
void llsq_activation_gradient(const float* x, const float* gradient, std::size_t count, float scale,
                              CodeRange range, float* x_gradient);

}  // namespace bitpulse
