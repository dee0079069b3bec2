// SPDX-License-Identifier: Apache-2.0
#pragma once

// A DRAM with channels, banks, open rows and refresh, stepped burst by burst in integer picoseconds
// (section 5). A plain state machine: the engines own one each.

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/machine.h"

namespace bitpulse {

struct DramEvents {
  std::uint64_t activates = 0, row_hits = 0, refreshes = 0;
};

class BankedDram {
 public:
  BankedDram(const DramTiming& timing, double clock_mhz);
  /// Begins a command at array cycle `start`; bursts are issued in order until finish().
  void begin(std::uint64_t start_cycle);
  /// Bytes [address, address + bytes), cut into bursts.
  void access(std::uint64_t address, std::uint64_t bytes, bool is_write);
  /// The array edge at which the last burst is done.
  std::uint64_t finish();
  const DramEvents& events() const;
  ~BankedDram();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bitpulse
