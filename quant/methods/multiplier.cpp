// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/multiplier.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "models/error.h"
#include "quant/methods/rounding.h"

namespace bitpulse {

namespace {

constexpr int kMaxShift = 62;
constexpr double kMantissa = 2147483648.0;  // 2^31

[[noreturn]] void fail(double ratio, const std::string& place, const std::string& limit) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", ratio);
  throw Error(ErrorKind::kInvalidInput, place + ": the ratio of scales " + text +
                                            " has no integer multiplier; expected " + limit);
}

std::string channel_place(const std::string& place, std::size_t channel) {
  return place + ", channel " + std::to_string(channel);
}

/// Mantissa of `ratio` at a given shift.
std::int32_t at_shift(double ratio, int shift) {
  return static_cast<std::int32_t>(
      nearest_code(std::ldexp(ratio, shift), {-2147483647, 2147483647}));
}

}  // namespace

Multiplier dyadic_multiplier(double ratio, const std::string& place) {
  if (!std::isfinite(ratio)) fail(ratio, place, "a finite number");
  if (std::abs(ratio) < 1 / kMantissa) return {0, 0};
  int exponent = 0;
  const double mantissa = std::frexp(std::abs(ratio), &exponent);
  double m = std::floor(mantissa * kMantissa + 0.5);
  int shift = 31 - exponent;
  if (m == kMantissa) {
    m /= 2;
    --shift;
  }
  if (shift < 0) fail(ratio, place, "less than 2^31");
  return {static_cast<std::int32_t>(ratio < 0 ? -m : m), static_cast<std::uint8_t>(shift)};
}

std::vector<Multiplier> truncated_multipliers(const std::vector<double>& ratios, int bits,
                                              const std::string& place) {
  double largest = 0;
  for (std::size_t c = 0; c < ratios.size(); ++c) {
    if (!std::isfinite(ratios[c])) fail(ratios[c], channel_place(place, c), "a finite number");
    largest = std::max(largest, std::abs(ratios[c]));
  }
  if (largest == 0) return std::vector<Multiplier>(ratios.size());
  const int integer_bits = static_cast<int>(std::ceil(std::log2(largest) + 1 - 1e-5));
  const int shift = std::min(bits - integer_bits, kMaxShift);
  if (shift < 0)
    fail(largest, place,
         "less than 2^" + std::to_string(bits - 1) + " for multipliers of " + std::to_string(bits) +
             " bits");
  const CodeRange range = Precision{static_cast<std::uint8_t>(bits), true}.range();
  std::vector<Multiplier> result;
  for (const double ratio : ratios)
    result.push_back({static_cast<std::int32_t>(nearest_code(std::ldexp(ratio, shift), range)),
                      static_cast<std::uint8_t>(shift)});
  return result;
}

Requantizer make_requantizer(const std::vector<double>& ratios, const Activation& activation,
                             MultiplierStyle style, const std::string& place) {
  const double slope = activation.is_leaky() ? activation.negative_slope : 0;
  Requantizer requantizer;
  if (style == MultiplierStyle::kLlsq8) {
    std::vector<double> both = ratios;
    if (slope != 0)
      for (const double ratio : ratios) both.push_back(ratio * slope);
    requantizer.positive = truncated_multipliers(both, 8, place);
    for (std::size_t i = ratios.size(); i < both.size(); ++i)
      requantizer.negative.push_back(requantizer.positive[i].m);
    requantizer.positive.resize(ratios.size());
    return requantizer;
  }
  for (std::size_t c = 0; c < ratios.size(); ++c) {
    const std::string where = ratios.size() == 1 ? place : channel_place(place, c);
    Multiplier m = dyadic_multiplier(ratios[c] * std::max(slope, 1.0), where);
    if (slope > 1) m.m = at_shift(ratios[c], m.shift);
    requantizer.positive.push_back(m);
    if (slope != 0)
      requantizer.negative.push_back(m.m == 0 ? 0 : at_shift(ratios[c] * slope, m.shift));
  }
  return requantizer;
}

MultiplierPair make_pair_of_multipliers(double first, double second, MultiplierStyle style,
                                        const std::string& place) {
  if (style == MultiplierStyle::kLlsq8) {
    const auto both = truncated_multipliers({first, second}, 8, place);
    return {both[0], both[1].m};
  }
  // One bit less than a single multiplier, so that the sum of two products stays below 2^62.
  Multiplier m = dyadic_multiplier(std::max(std::abs(first), std::abs(second)), place);
  return {{at_shift(first, m.shift), m.shift}, at_shift(second, m.shift)};
}

}  // namespace bitpulse
