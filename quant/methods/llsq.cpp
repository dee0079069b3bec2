// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/llsq.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "quant/methods/lsq.h"

namespace bitpulse {

namespace {

double largest_magnitude(const float* x, std::size_t count) {
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(x[i])));
  }
  return largest;
}

/// |code - u| for u = x / scale, times the scale: what rounding and clipping lose.
template <bool kAbsolute>
double error_sum(const float* x, std::size_t count, float scale, CodeRange range) {
  constexpr std::size_t kLanes = 8, kBlock = kLsqBlock;
  constexpr float kShift = 12582912.0f;  // see lsq.cpp: rounds to even
  const auto low = static_cast<float>(range.min), high = static_cast<float>(range.max);
  // Of unsigned data nothing is negative: what is stands for the zero that a ReLU makes of it.
  const float least = range.min == 0 ? 0.0f : -std::numeric_limits<float>::infinity();
  double total = 0;
  for (std::size_t first = 0; first < count; first += kBlock) {
    const std::size_t end = std::min(count, first + kBlock);
    float sums[kLanes] = {};
    const auto element = [&](std::size_t i, std::size_t lane) {
      const float u = std::max(x[i] / scale, least);
      const float code = (std::min(std::max(u, low), high) + kShift) - kShift;
      const float d = u - code;
      sums[lane] += kAbsolute ? std::abs(d) : d * d;
    };
    std::size_t i = first;
    for (; i + kLanes <= end; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) element(i + lane, lane);
    }
    for (; i < end; ++i) element(i, (i - first) % kLanes);
    for (const float part : sums) total += static_cast<double>(part);
  }
  const auto unit = static_cast<double>(scale);
  return total * (kAbsolute ? unit : unit * unit);
}

}  // namespace

LlsqErrors llsq_errors(const float* x, std::size_t count, float scale, CodeRange range,
                       double ratio, bool absolute) {
  assert(scale > 0 && count > 0);
  const auto mean_error = [&](double s) {
    const auto candidate = static_cast<float>(s);
    const double sum = absolute ? error_sum<true>(x, count, candidate, range)
                                : error_sum<false>(x, count, candidate, range);
    return sum / static_cast<double>(count);
  };
  const auto a = static_cast<double>(scale);
  return {mean_error(a), mean_error(a / ratio), mean_error(a * ratio)};
}

LlsqMove llsq_decide(const LlsqErrors& errors, bool equal_keeps) {
  if (!std::isfinite(errors.same + errors.smaller + errors.bigger)) return LlsqMove::kKeep;
  if (equal_keeps && errors.same == errors.smaller && errors.same == errors.bigger) {
    return LlsqMove::kKeep;
  }
  const bool smaller_is_good = errors.same >= errors.smaller;
  const bool bigger_is_bad = errors.bigger > errors.same;
  if (!smaller_is_good) return bigger_is_bad ? LlsqMove::kKeep : LlsqMove::kGrow;
  if (bigger_is_bad || errors.bigger >= errors.smaller) return LlsqMove::kShrink;
  return LlsqMove::kGrow;
}

float llsq_gradient(LlsqMove move, float scale) {
  return -static_cast<float>(move) * scale * scale;
}

float llsq_ema(LlsqMove move, float scale, double decay, double ratio) {
  if (move == LlsqMove::kKeep) return scale;
  const double neighbour = move == LlsqMove::kGrow ? ratio : 1 / ratio;
  return static_cast<float>(static_cast<double>(scale) * (decay + (1 - decay) * neighbour));
}

double llsq_first_weight_scale(const float* w, std::size_t count, CodeRange range,
                               bool per_channel) {
  const auto codes = static_cast<double>(per_channel ? range.max : range.max + 1);
  return largest_magnitude(w, count) / codes;
}

double llsq_first_activation_scale(const float* x, std::size_t count, Precision precision) {
  const auto high = static_cast<double>(precision.range().max);
  return largest_magnitude(x, count) / (precision.bits <= 3 ? 2 * high : high + 1);
}

double llsq_power_of_two_scale(const float* x, std::size_t count, Precision precision) {
  const double largest = largest_magnitude(x, count);
  if (largest == 0) return 0;
  const int codes = precision.is_signed ? precision.bits - 1 : precision.bits;
  return std::exp2(std::ceil(std::log2(std::ldexp(largest, -codes))));
}

void llsq_activation_gradient(const float* x, const float* gradient, std::size_t count, float scale,
                              CodeRange range, float* x_gradient) {
  const float low = static_cast<float>(range.min) * scale;
  const float high = static_cast<float>(range.max) * scale;
  for (std::size_t i = 0; i < count; ++i) {
    const float passed = gradient[i];  // read at all events, so that the loop is vectorized
    x_gradient[i] = (x[i] > low) & (x[i] < high) ? passed : 0.0f;
  }
}

}  // namespace bitpulse
