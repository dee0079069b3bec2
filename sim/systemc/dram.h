// SPDX-License-Identifier: Apache-2.0
#pragma once

// The DRAM: a TLM-2.0 target (blocking transport with annotated delay, debug transport) over packed
// bytes. Its times are those of section 5, `fixed` or `banked`: the runs of a command share one
// latency, and the end of the command is annotated to its last run; without a DmaExtension every
// transaction is a command of its own.

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <optional>
#include <systemc>
#include <vector>

#include "sim/memory/banked_dram.h"
#include "sim/systemc/run_state.h"

namespace bitpulse {

class Dram : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<Dram> socket{"socket"};

  explicit Dram(const sc_core::sc_module_name& name);

  /// `bytes` of zeros behind the addresses where `has_values`, else addresses only. Time starts at
  /// the current simulated time.
  void reset(const Machine& machine, std::uint64_t bytes, bool has_values);

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned int transport_dbg(tlm::tlm_generic_payload& payload);
  tlm::tlm_response_status check(const tlm::tlm_generic_payload& payload) const;
  void move(tlm::tlm_generic_payload& payload);
  std::uint64_t cycle_of(const sc_core::sc_time& time) const;

  DramSpec spec_;
  std::uint64_t size_ = 0;
  std::vector<std::uint8_t> bytes_;
  sc_core::sc_time epoch_;
  std::optional<BankedDram> banked_;

  // The command in progress.
  std::uint64_t command_start_ = 0;  // cycle
  std::uint64_t command_bytes_ = 0;
  DramEvents events_before_;
};

}  // namespace bitpulse
