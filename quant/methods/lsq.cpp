// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/lsq.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <type_traits>

#include "quant/methods/scale_search.h"

namespace bitpulse {

namespace {

/// The unit of a float near 1.5 * 2^23 is 1: adding rounds to an integer, ties to even. Unlike a
/// call of rint it is vectorized on every processor.
constexpr float kRoundShift = 12582912.0f;

inline float rounded_even(float x) { return (x + kRoundShift) - kRoundShift; }

/// floor(x + 0.5) for |x| < 2^22: ties go up where half even went down.
inline float rounded_up(float x) {
  const float even = rounded_even(x);
  return even + static_cast<float>(x - even == 0.5f);  // not a branch: vectorized
}

struct Grid {
  float step, low, high;
};

Grid grid_of(float step, CodeRange range) {
  assert(step > 0 && range.min >= -32768 && range.max <= 65535);
  return {step, static_cast<float>(range.min), static_cast<float>(range.max)};
}

template <Rounding kRounding>
inline float code_of(float u, const Grid& grid) {
  const float clipped = std::min(std::max(u, grid.low), grid.high);
  if (kRounding == Rounding::kHalfEven) return rounded_even(clipped);
  if (kRounding == Rounding::kHalfUp || clipped > 0) return rounded_up(clipped);
  return -rounded_up(-clipped);
}

/// work(rounding as a constant)
template <class Work>
auto with_rounding(Rounding rounding, const Work& work) {
  switch (rounding) {
    case Rounding::kHalfUp:
      return work(std::integral_constant<Rounding, Rounding::kHalfUp>());
    case Rounding::kHalfAway:
      return work(std::integral_constant<Rounding, Rounding::kHalfAway>());
    case Rounding::kHalfEven:
      break;
  }
  return work(std::integral_constant<Rounding, Rounding::kHalfEven>());
}

template <Rounding kRounding>
void forward(const float* v, std::size_t count, const Grid& grid, float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = code_of<kRounding>(v[i] / grid.step, grid) * grid.step;
  }
}

/// One block; eight partial sums, which vectorize.
template <Rounding kRounding>
double backward_block(const float* v, const float* gradient, std::size_t count, const Grid& grid,
                      float* v_gradient) {
  constexpr std::size_t kLanes = 8;
  float sums[kLanes] = {};
  const auto element = [&](std::size_t i, std::size_t lane) {
    const float u = v[i] / grid.step;
    const float code = code_of<kRounding>(u, grid);
    const bool inside = u > grid.low && u < grid.high;
    // Outside, the clipped code is -Q_N or Q_P itself.
    sums[lane] += gradient[i] * (inside ? code - u : code);
    v_gradient[i] = inside ? gradient[i] : 0.0f;
  };
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) element(i + lane, lane);
  }
  for (; i < count; ++i) element(i, i % kLanes);
  double sum = 0;
  for (const float part : sums) sum += static_cast<double>(part);
  return sum;
}

double mean_magnitude(const float* v, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += std::abs(static_cast<double>(v[i]));
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

}  // namespace

float lsq_code(float v, float step, CodeRange range, Rounding rounding) {
  const Grid grid = grid_of(step, range);
  return with_rounding(rounding, [&](auto rule) { return code_of<rule()>(v / step, grid); });
}

void lsq_forward(const float* v, std::size_t count, float step, CodeRange range, Rounding rounding,
                 float* out) {
  const Grid grid = grid_of(step, range);
  with_rounding(rounding, [&](auto rule) { forward<rule()>(v, count, grid, out); });
}

double lsq_backward(const float* v, const float* gradient, std::size_t count, float step,
                    CodeRange range, Rounding rounding, float* v_gradient) {
  const Grid grid = grid_of(step, range);
  return with_rounding(rounding, [&](auto rule) {
    double sum = 0;
    for (std::size_t first = 0; first < count; first += kLsqBlock) {
      sum += backward_block<rule()>(v + first, gradient + first, std::min(kLsqBlock, count - first),
                                    grid, v_gradient + first);
    }
    return sum;
  });
}

double lsq_gradient_scale(std::int64_t elements, CodeRange range) {
  return 1 / std::sqrt(static_cast<double>(elements) * static_cast<double>(range.max));
}

double lsq_first_step(const float* v, std::size_t count, CodeRange range) {
  return 2 * mean_magnitude(v, count) / std::sqrt(static_cast<double>(range.max));
}

double least_error_step(const float* v, std::size_t count, CodeRange range) {
  double widest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto x = static_cast<double>(v[i]);
    const double limit = x < 0 ? static_cast<double>(range.min) : static_cast<double>(range.max);
    if (limit != 0) widest = std::max(widest, x / limit);
  }
  if (widest == 0) return 0;
  return least_error_scale(widest, range, [&](double step) {
    const Grid grid = grid_of(static_cast<float>(step), range);
    double error = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double d = static_cast<double>(
          v[i] - code_of<Rounding::kHalfEven>(v[i] / grid.step, grid) * grid.step);
      error += d * d;
    }
    return error;
  });
}

}  // namespace bitpulse
