// SPDX-License-Identifier: Apache-2.0
#pragma once

// HAWQ-V3's quantizers (Yao et al., "HAWQ-V3: Dyadic Neural Network Quantization", ICML 2021) by
// the rules of the authors' code, as plain functions over floats. Weights: S = max|w| / (2^(b-1) -
// 1) per output channel. Activations: static ranges that average over batches; up to 4 bits
// unsigned, since they stand behind a ReLU, and wider ones symmetric with a sign even there, so
// that 8 bits use 0..127. Codes are clip(round(v / S)); gradients pass everywhere, in and out of
// the range. (The authors multiply by a rounded 1 / S; here v is divided, as everywhere else.)

#include <cstddef>

#include "models/precision.h"
#include "models/training.h"

namespace bitpulse {

/// Least and largest value; {0, 0} before anything was seen.
struct ValueRange {
  float min = 0, max = 0;
  friend bool operator==(ValueRange a, ValueRange b) { return a.min == b.min && a.max == b.max; }
};

/// The range of one batch: its extremes, or with percentile p < 100 the values at places
/// ceil(count (100 - p) / 100) and ceil(count p / 100) of the sorted batch, counted from 1.
///
/// count       at least 1
/// percentile  50..100
ValueRange hawq_batch_range(const float* values, std::size_t count, double percentile);

/// The range after one more batch: the first one as it is, then momentum * range + (1 - momentum) *
/// batch, or the widest of both. As long as min equals max (zeros so far) the next batch is first.
ValueRange hawq_next_range(ValueRange range, ValueRange batch, const HawqSpec& spec);

/// Signed: max(|min|, |max|) / (2^(b-1) - 1); unsigned: (max - min) / (2^b - 1), with zero at code
/// 0. Numerators are at least 1e-8.
float hawq_activation_scale(ValueRange range, Precision precision);

/// max|w| / (2^(b-1) - 1) of one channel, max|w| at least 1e-8.
///
/// bits  at least 2
float hawq_weight_scale(const float* weights, std::size_t count, int bits);

}  // namespace bitpulse
