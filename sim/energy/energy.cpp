// SPDX-License-Identifier: Apache-2.0
#include "sim/energy/energy.h"

#include <algorithm>
#include <cstdio>

#include "sim/energy/sram.h"
#include "sim/energy/technology.h"

namespace bitpulse {
namespace {

using Warnings = std::vector<std::string>;

Picojoules times(Picojoules each, std::uint64_t count) {
  return Picojoules(each.value * static_cast<double>(count));
}

void warn(Warnings& warnings, const std::string& entry, const std::string& why) {
  if (!why.empty()) warnings.push_back(entry + ": " + why);
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::uint64_t pe_count(const Machine& machine) {
  return std::uint64_t{machine.array.rows} * machine.array.cols;
}

/// A buffer as macros: two halves for each port of the array that it feeds.
struct BufferMacros {
  const char* component;
  std::uint64_t macros;
  double macro_bytes;
};

BufferMacros cut_buffer(const char* component, std::uint32_t kib, std::uint32_t ports) {
  const std::uint64_t macros = 2 * std::uint64_t{ports};
  return {component, macros, kib * 1024.0 / static_cast<double>(macros)};
}

/// Activation, weight, accumulator and output buffer, in this order.
std::array<BufferMacros, 4> buffers_of(const Machine& machine) {
  const ArraySpec& array = machine.array;
  const bool swapped = array.dataflow == Dataflow::kIs;
  return {
      cut_buffer("act_buffer", machine.buffers.act_kib, swapped ? array.cols : array.rows),
      cut_buffer("weight_buffer", machine.buffers.weight_kib, swapped ? array.rows : array.cols),
      cut_buffer("accumulator", machine.buffers.acc_kib, array.cols),
      cut_buffer("out_buffer", machine.buffers.out_kib, array.cols)};
}

SramCost cost_of(const BufferMacros& buffer, const Technology& technology, Warnings& warnings) {
  const SramCost cost = sram_cost(technology, buffer.macro_bytes);
  if (cost.extrapolated) {
    const auto& points = technology.sram_energy.points;
    warn(warnings, buffer.component,
         std::to_string(buffer.macros) + " macros of " + number(buffer.macro_bytes) +
             " bytes are outside the SRAM tables (energy: " + number(points.front().bytes) +
             " to " + number(points.back().bytes) + " bytes)");
  }
  return cost;
}

const PeEntry& pe_of(const Machine& machine, const Technology& technology, Warnings& warnings) {
  const PeEntry& pe = technology.pe[static_cast<std::size_t>(machine.array.pe)];
  const std::string entry = std::string("pe ") + to_string(machine.array.pe);
  warn(warnings, entry, pe.from.extrapolated);
  if (pe.synthesis_mhz > 0 && machine.clock_mhz > pe.synthesis_mhz) {
    warn(warnings, entry,
         "synthesized at " + number(pe.synthesis_mhz) + " MHz, used at " +
             number(machine.clock_mhz) + " MHz");
  }
  return pe;
}

/// The accumulation of one PE, linear between the points of the table; nothing without a table.
AdderTable::Point adder_of(const Machine& machine, const Technology& technology,
                           Warnings& warnings) {
  const auto& points = technology.adder.points;
  if (points.empty()) return {};
  warn(warnings, "adder", technology.adder.from.extrapolated);
  const double bits = machine.array.acc_bits;
  const auto at_or_above =
      std::find_if(points.begin(), points.end(), [bits](const auto& p) { return p.bits >= bits; });
  if (at_or_above == points.begin()) return *at_or_above;
  const AdderTable::Point& low = *(at_or_above - 1);
  const AdderTable::Point& high = *at_or_above;
  const double share = (bits - low.bits) / (high.bits - low.bits);
  const auto between = [share](double a, double b) { return a + share * (b - a); };
  return {bits, Picojoules(between(low.energy.value, high.energy.value)),
          SquareMicrons(between(low.area.value, high.area.value))};
}

/// Registers of a PE: both operands, the sum, and with overlap the second register of what stays
/// (ws: weight, is: activation, os: the sum). A fused PE's ports are 32 bits wide (sixteen lanes of
/// 2 bits).
std::uint64_t register_bits(const ArraySpec& array) {
  const std::uint64_t operand = array.pe == PeKind::kInt8   ? 8
                                : array.pe == PeKind::kInt4 ? 4
                                : array.pe == PeKind::kInt2 ? 2
                                                            : 32;
  const auto sum = static_cast<std::uint64_t>(array.acc_bits);
  const std::uint64_t second = array.dataflow == Dataflow::kOs ? sum : operand;
  return 2 * operand + sum + (array.overlap ? second : 0);
}

const DramEntry& dram_of(const Machine& machine, const Technology& technology, Warnings& warnings) {
  const bool banked = machine.dram.model == DramModel::kBanked;
  const std::string wanted = banked ? machine.dram.timing.name : "fixed";
  const auto found = technology.dram.find(wanted);
  if (found == technology.dram.end()) {
    warn(warnings, "dram", "no entry for " + wanted + ", priced as \"fixed\"");
  }
  const DramEntry& entry =
      found == technology.dram.end() ? technology.dram.at("fixed") : found->second;
  warn(warnings, "dram " + wanted, entry.from.extrapolated);
  return entry;
}

}  // namespace

Prices::Prices(const Machine& machine, const Technology& technology)
    : vector_element_(technology.vector.element),
      clock_bit_(technology.clock.bit),
      clock_mhz_(machine.clock_mhz),
      register_bits_(pe_count(machine) * register_bits(machine.array)) {
  const PeEntry& pe = pe_of(machine, technology, extrapolated_);
  pe_cycle_ = pe.cycle + adder_of(machine, technology, extrapolated_).energy;
  leakage_uw_ = static_cast<double>(pe_count(machine)) * pe.leakage.value +
                machine.vector.lanes * technology.vector.leakage.value;
  const std::array<BufferMacros, 4> buffers = buffers_of(machine);
  for (std::size_t b = 0; b < buffers.size(); ++b) {
    const SramCost cost = cost_of(buffers[b], technology, extrapolated_);
    buffers_[b] = {cost.read_bit, cost.write_bit};
    leakage_uw_ += static_cast<double>(buffers[b].macros) * cost.leakage.value;
  }
  warn(extrapolated_, "sram_energy", technology.sram_energy.from.extrapolated);
  warn(extrapolated_, "sram_macro", technology.sram_macro.from.extrapolated);
  warn(extrapolated_, "vector", technology.vector.from.extrapolated);
  const DramEntry& dram = dram_of(machine, technology, extrapolated_);
  const bool banked = machine.dram.model == DramModel::kBanked;
  dram_ = {dram.read_bit, dram.write_bit, dram.activate, dram.refresh,
           banked ? machine.dram.timing.burst_bytes : 0};
  warn(extrapolated_, "clock", technology.clock.from.extrapolated);
}

Picojoules Prices::dram(const Counters& counters) const {
  const auto read_bits = 8.0 * static_cast<double>(counters.dram_read_bytes);
  const auto write_bits = 8.0 * static_cast<double>(counters.dram_write_bytes);
  double energy = read_bits * dram_.read_bit.value + write_bits * dram_.write_bit.value;
  if (dram_.burst_bytes > 0) {
    const std::uint64_t bursts = counters.dram_activates + counters.dram_row_hits;
    const double moved = 8.0 * static_cast<double>(bursts * dram_.burst_bytes);
    energy += (moved - read_bits - write_bits) * (dram_.read_bit.value + dram_.write_bit.value) / 2;
    energy += times(dram_.activate, counters.dram_activates).value;
    energy += times(dram_.refresh, counters.dram_refreshes).value;
  }
  return Picojoules(energy);
}

Energies Prices::operator()(const Counters& counters, std::uint64_t cycles) const {
  const auto buffer = [this](std::size_t b, std::uint64_t read_bits, std::uint64_t write_bits) {
    return times(buffers_[b].read_bit, read_bits) + times(buffers_[b].write_bit, write_bits);
  };
  return {buffer(2, counters.acc_read_bits, counters.acc_write_bits),
          buffer(0, counters.act_read_bits, counters.act_write_bits),
          times(pe_cycle_, counters.pe_cycles_used), times(clock_bit_, register_bits_ * cycles),
          dram(counters),
          // Microwatts times microseconds are picojoules.
          Picojoules(leakage_uw_ * static_cast<double>(cycles) / clock_mhz_),
          buffer(3, counters.out_read_bits, counters.out_write_bits),
          times(vector_element_, counters.vector_element_ops),
          buffer(1, counters.weight_read_bits, counters.weight_write_bits)};
}

std::map<std::string, Picojoules> by_component(const Energies& energies) {
  std::map<std::string, Picojoules> named;
  for (std::size_t i = 0; i < energies.size(); ++i) {
    named.emplace_hint(named.end(), kEnergyComponents[i], energies[i]);
  }
  return named;
}

EnergyReport price(const Counters& counters, std::uint64_t cycles, const Machine& machine,
                   const Technology& technology) {
  const Prices prices(machine, technology);
  return {by_component(prices(counters, cycles)), prices.extrapolated()};
}

AreaReport area(const Machine& machine, const Technology& technology) {
  AreaReport report;
  Warnings& warnings = report.extrapolated;
  const PeEntry& pe = pe_of(machine, technology, warnings);
  const SquareMicrons add = adder_of(machine, technology, warnings).area;
  report.area["array"] =
      SquareMicrons((pe.area + add).value * static_cast<double>(pe_count(machine)));
  for (const BufferMacros& buffer : buffers_of(machine)) {
    const SramCost cost = cost_of(buffer, technology, warnings);
    report.area[buffer.component] =
        SquareMicrons(cost.area.value * static_cast<double>(buffer.macros));
  }
  warn(warnings, "sram_macro", technology.sram_macro.from.extrapolated);
  warn(warnings, "vector", technology.vector.from.extrapolated);
  report.area["vector"] = SquareMicrons(technology.vector.area.value * machine.vector.lanes);
  return report;
}

}  // namespace bitpulse
