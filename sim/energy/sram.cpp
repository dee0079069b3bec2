// SPDX-License-Identifier: Apache-2.0
#include "sim/energy/sram.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace bitpulse {
namespace {

/// value(point) at size `bytes`: a power law between neighbouring points, and with the given
/// exponents outside.
template <class Point, class Value>
double at_size(const std::vector<Point>& points, double bytes, double below_exponent,
               double above_exponent, Value&& value) {
  const auto power = [bytes, &value](const Point& p, double exponent) {
    return value(p) * std::pow(bytes / p.bytes, exponent);
  };
  if (bytes <= points.front().bytes) return power(points.front(), below_exponent);
  if (bytes >= points.back().bytes) return power(points.back(), above_exponent);
  const auto high = std::upper_bound(points.begin(), points.end(), bytes,
                                     [](double b, const Point& p) { return b < p.bytes; });
  const Point& low = *(high - 1);
  return power(low, std::log(value(*high) / value(low)) / std::log(high->bytes / low.bytes));
}

template <class Point>
bool outside(const std::vector<Point>& points, double bytes) {
  return bytes < points.front().bytes || bytes > points.back().bytes;
}

}  // namespace

SramCost sram_cost(const Technology& technology, double bytes) {
  assert(bytes > 0);
  const SramEnergyTable& energy = technology.sram_energy;
  const SramMacroTable& macro = technology.sram_macro;
  using EnergyPoint = SramEnergyTable::Point;
  using MacroPoint = SramMacroTable::Point;
  const auto per_bit = [&](Picojoules EnergyPoint::*member) {
    return Picojoules(at_size(energy.points, bytes, energy.below_exponent, energy.above_exponent,
                              [member](const EnergyPoint& p) { return (p.*member).value; }) /
                      energy.word_bits);
  };
  SramCost cost;
  cost.read_bit = per_bit(&EnergyPoint::read);
  cost.write_bit = per_bit(&EnergyPoint::write);
  cost.leakage = Microwatts(
      at_size(macro.points, bytes, 1, 1, [](const MacroPoint& p) { return p.leakage.value; }));
  cost.area = SquareMicrons(
      at_size(macro.points, bytes, 1, 1, [](const MacroPoint& p) { return p.area.value; }));
  cost.extrapolated = outside(energy.points, bytes) || outside(macro.points, bytes);
  return cost;
}

}  // namespace bitpulse
