// SPDX-License-Identifier: Apache-2.0
#pragma once

// Real ratios of scales as integer multipliers.
//   dyadic   31-bit mantissa, a shift of its own: Yao et al., "HAWQ-V3", ICML 2021
//   T_8      8-bit mantissas that share one shift: Zhao et al., "LLSQ", ICLR 2020
// Both take ratios in double; HAWQ-V3's code narrows the product of scales to float first, which
// only mimics one inference library and is not done here.

#include <string>
#include <vector>

#include "models/workload.h"
#include "quant/activation.h"
#include "quant/integer/requantize.h"

namespace bitpulse {

/// r = mantissa * 2^e with mantissa in [0.5, 1): m = floor(mantissa * 2^31 + 0.5), shift = 31 - e;
/// an m of 2^31 becomes 2^30 with one shift less, and |r| < 2^-31 becomes m = 0.
///
/// place   layer and channel, for the error
/// errors  kInvalidInput where the ratio is 2^31 or more, or not finite
Multiplier dyadic_multiplier(double ratio, const std::string& place);

/// T_n of one layer: il = ceil(log2(max |r|) + 1 - 1e-5), shift p = n - il,
/// m = clip(rne(r * 2^p), -2^(n-1), 2^(n-1) - 1).
///
/// errors  kInvalidInput where p would be negative, or a ratio is not finite
std::vector<Multiplier> truncated_multipliers(const std::vector<double>& ratios, int bits,
                                              const std::string& place);

/// The requantizer of a layer whose value has real scale ratios[c] in units of the store's scale.
/// A leaky activation gets its second multipliers, at the same shifts.
///
/// place   the layer; errors add the channel
Requantizer make_requantizer(const std::vector<double>& ratios, const Activation& activation,
                             MultiplierStyle style, const std::string& place);

/// Two multipliers with one shift: q1 * first + q2 * second, rounded once.
struct MultiplierPair {
  Multiplier first;
  std::int32_t second = 0;
};
MultiplierPair make_pair_of_multipliers(double first, double second, MultiplierStyle style,
                                        const std::string& place);

}  // namespace bitpulse
