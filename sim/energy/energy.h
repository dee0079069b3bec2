// SPDX-License-Identifier: Apache-2.0
#pragma once

// Energy and area: a pure function of counters, cycles, machine and a technology file whose every
// entry names node and source. Energies are linear in counters and cycles, so layers add up to the
// run.
//
// Components: "array", "act_buffer", "weight_buffer", "accumulator", "out_buffer", "vector", "dram"
// by their actions; "leakage" by time; "clock" by time and register bits, the clock tree only.
//  - array: one PE-cycle each, accumulation included.
//  - buffers: the array takes one word per row and column and cycle, so a buffer is cut into one
//    bank per port it feeds (rows: act in ws and os, weights in is; columns: all others), and each
//    bank into two macros, the halves of double buffering. A macro is accessed by words of the
//    table; narrow operands share a word, so a bit costs the word's energy over its bits.
//  - dram: activates, bits and refreshes. A burst is paid for whole; what it moves beyond the bytes
//    asked for costs the mean of read and write.
// DMA engine, control and wires between blocks are not priced.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/units.h"
#include "sim/counters.h"
#include "sim/machine.h"

namespace bitpulse {

struct Technology;  // sim/energy/technology.h

/// Components of energies, in alphabetical order.
inline constexpr std::array<const char*, 9> kEnergyComponents = {
    "accumulator", "act_buffer", "array",  "clock",        "dram",
    "leakage",     "out_buffer", "vector", "weight_buffer"};
using Energies = std::array<Picojoules, kEnergyComponents.size()>;
std::map<std::string, Picojoules> by_component(const Energies& energies);

struct EnergyReport {
  std::map<std::string, Picojoules> energy;  // by component; leakage and clock apart
  std::vector<std::string> extrapolated;     // entries used outside their published range
};
struct AreaReport {
  std::map<std::string, SquareMicrons> area;
  std::vector<std::string> extrapolated;
};

/// What a machine's actions cost, looked up once for all layers that run on it.
class Prices {
 public:
  Prices(const Machine& machine, const Technology& technology);

  Energies operator()(const Counters& counters, std::uint64_t cycles) const;
  const std::vector<std::string>& extrapolated() const { return extrapolated_; }

 private:
  struct Access {
    Picojoules read_bit, write_bit;
  };
  Picojoules dram(const Counters& counters) const;

  std::vector<std::string> extrapolated_;
  Picojoules pe_cycle_, vector_element_, clock_bit_;
  std::array<Access, 4> buffers_{};
  double leakage_uw_ = 0, clock_mhz_ = 0;
  std::uint64_t register_bits_ = 0;  // of all PEs
  struct Dram {
    Picojoules read_bit, write_bit, activate, refresh;
    std::uint64_t burst_bytes = 0;  // 0: `fixed`, which has no bursts
  } dram_;
};

EnergyReport price(const Counters& counters, std::uint64_t cycles, const Machine& machine,
                   const Technology& technology);
AreaReport area(const Machine& machine, const Technology& technology);

}  // namespace bitpulse
