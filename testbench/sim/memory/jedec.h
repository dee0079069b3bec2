// SPDX-License-Identifier: Apache-2.0
#pragma once

// DRAM timing rules as one table of pairs: how many clocks lie at least between two commands of a
// channel. Shares no code with BankedDram.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/memory/banked_dram.h"

namespace bitpulse::jedec {

/// Least distance from `earlier` to `later`, commands of one channel; none where they are free.
std::optional<std::uint64_t> distance(const DramTiming& timing, const DramCommand& earlier,
                                      const DramCommand& later);

/// Checks a whole log: every pair, at most four activates per t_faw, bursts to open rows only, the
/// data bus never used twice, refreshes due at multiples of t_refi with nothing but precharges
/// between due and done. Returns the first violation in words, empty where there is none.
std::string find_violation(const DramTiming& timing, std::vector<DramCommand> log);

/// A controller that knows the rules of sim/memory/banked_dram.h and the table above, and looks at
/// every earlier command for every decision.
class SlowDram {
 public:
  SlowDram(const DramTiming& timing, double clock_mhz) : t_(timing), clock_mhz_(clock_mhz) {}
  void begin(std::uint64_t start_cycle);
  void access(std::uint64_t address, std::uint64_t bytes, bool is_write);
  std::uint64_t finish() const;
  const std::vector<DramCommand>& log() const { return log_; }

 private:
  using Kind = DramCommand::Kind;
  void burst(std::uint64_t index, bool is_write);
  std::uint64_t earliest(const DramCommand& command, std::uint64_t from) const;
  void refresh(std::uint32_t channel);
  std::optional<std::uint64_t> open_row(std::uint32_t channel, std::uint32_t bank) const;
  std::uint64_t refreshes(std::uint32_t channel) const;

  DramTiming t_;
  double clock_mhz_;
  std::vector<DramCommand> log_;
  std::uint64_t begin_cycle_ = 0, begin_clock_ = 0, end_clock_ = 0;
  std::optional<std::pair<std::uint64_t, bool>> last_burst_;
};

}  // namespace bitpulse::jedec
