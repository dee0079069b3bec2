// SPDX-License-Identifier: Apache-2.0
#pragma once

// Energy and area: a pure function of counters, cycles, machine and a technology file whose every
// entry names node and source.

#include <map>
#include <string>
#include <vector>

#include "models/io/json.h"
#include "models/units.h"
#include "sim/counters.h"
#include "sim/machine.h"

namespace bitpulse {

struct Technology;  // sim/energy/technology.h

struct EnergyReport {
  std::map<std::string, Picojoules> energy;  // by component; leakage and clock apart
  std::vector<std::string> extrapolated;     // entries used outside their published range
};
struct AreaReport {
  std::map<std::string, SquareMicrons> area;
  std::vector<std::string> extrapolated;
};

EnergyReport price(const Counters& counters, std::uint64_t cycles, const Machine& machine,
                   const Technology& technology);
AreaReport area(const Machine& machine, const Technology& technology);

}  // namespace bitpulse
