// SPDX-License-Identifier: Apache-2.0
#pragma once

// What all modules share of the run in progress, and how cycles map to simulated time: 1 cycle is
// 1 ns of sc_time whatever the machine's clock, and cycle 0 of a run stands at its epoch.

#include <cstdint>
#include <systemc>
#include <vector>

#include "quant/integer/integer_network.h"
#include "sim/counters.h"
#include "sim/program.h"

namespace bitpulse {

inline sc_core::sc_time cycles_to_time(std::uint64_t cycles) {
  // Through integers: a double has 53 bits only.
  static const std::uint64_t unit = sc_core::sc_time(1, sc_core::SC_NS).value();
  return sc_core::sc_time::from_value(cycles * unit);
}

struct RunState {
  const Program* program = nullptr;
  const IntegerNetwork* network = nullptr;  // null: timing only
  bool keep_all_tensors = false;
  sc_core::sc_time epoch;
  CommandId oldest_waiting = 0;    // the first command that has not been issued
  std::vector<Counters> counters;  // by layer of the program

  std::uint64_t cycle() const {
    return (sc_core::sc_time_stamp() - epoch).value() / cycles_to_time(1).value();
  }
  bool has_values() const { return network != nullptr; }
  const Command& command(CommandId id) const { return program->commands[id]; }
  Counters& counters_of(CommandId id) { return counters[command(id).layer]; }
  const IntegerLayer& layer_of(CommandId id) const {
    return network->layers[program->layers[command(id).layer].layer];
  }
};

}  // namespace bitpulse
