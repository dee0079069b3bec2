// SPDX-License-Identifier: Apache-2.0
#pragma once

// The scale of least quantization error: a coarse search over octaves below the widest useful
// scale, then a fine one around the best. Errors are not unimodal in the scale, so that a grid is
// safer than a descent.

#include <cmath>

#include "models/precision.h"

namespace bitpulse {

/// widest  a scale at which nothing is clipped
/// range   of the codes; the fewer there are, the deeper clipping can pay
/// error   of a scale; ties go to the larger scale
template <class ErrorOf>
double least_error_scale(double widest, CodeRange range, const ErrorOf& error_of) {
  constexpr int kPerOctave = 6, kFine = 6;
  const int octaves = range.max - range.min < 16 ? 6 : 3;
  double best = 0, best_error = error_of(widest);
  const auto attempt = [&](double exponent) {
    const double error = error_of(widest * std::exp2(exponent));
    if (error < best_error) best = exponent, best_error = error;
  };
  for (int i = 1; i <= kPerOctave * octaves; ++i) attempt(-static_cast<double>(i) / kPerOctave);
  const double centre = best;
  for (int i = kFine - 1; i > -kFine; --i)
    if (i != 0) attempt(centre + static_cast<double>(i) / (kPerOctave * kFine));
  return widest * std::exp2(best);
}

}  // namespace bitpulse
