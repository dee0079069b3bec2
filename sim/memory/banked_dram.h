// SPDX-License-Identifier: Apache-2.0
#pragma once

// A DRAM with channels, banks, open rows and refresh (sim/README.md, section 5). A plain state
// machine: every engine owns one.
//
// - Clocks: state is kept in integer DRAM clocks. Array edge n and DRAM edge k stand at
//   n / clock_mhz and k / dram_mhz microseconds; both frequencies are taken in whole Hz, so edges
//   compare exactly.
// - Latency: a command begins at the first DRAM edge at or after its array edge and is done at the
//   first array edge at or after the end of its last burst on the data bus: t_cl (t_cwl) +
//   burst_clocks after the last read (write) command. Controller and wire delays are zero; write
//   recovery goes on behind the finish and holds back later commands.
// - Bursts: bytes are moved in aligned bursts, in order within a channel. A burst that is also the
//   last one asked for by the same command in the same direction is not issued again, so that
//   cutting a run into pieces changes nothing.
// - Addresses: row : bank : column : channel : byte of the burst, highest first. A stream uses all
//   channels at once and goes on to the next bank at the end of a row.
// - Rows: open page. While a channel works, the row of a burst may be closed and opened up to 16
//   burst times before the column command that precedes it (and never before the command begins):
//   the controller sees a queue of 16. One rank, no bank groups, no limit on the command bus.
// - Refresh: all banks of all channels at every multiple of t_refi. No command is issued from then
//   on until open rows are closed and t_rfc has passed.

#include <array>
#include <cstdint>
#include <vector>

#include "sim/machine.h"

namespace bitpulse {

/// Bursts are either row hits or follow an activate of their own.
struct DramEvents {
  std::uint64_t activates = 0, row_hits = 0, refreshes = 0;

  DramEvents& operator+=(DramEvents o) {
    activates += o.activates;
    row_hits += o.row_hits;
    refreshes += o.refreshes;
    return *this;
  }
  friend DramEvents operator-(DramEvents a, DramEvents b) {
    return {a.activates - b.activates, a.row_hits - b.row_hits, a.refreshes - b.refreshes};
  }
  friend bool operator==(DramEvents a, DramEvents b) {
    return a.activates == b.activates && a.row_hits == b.row_hits && a.refreshes == b.refreshes;
  }
};

/// A command on a channel's command bus, for logs and independent checks.
struct DramCommand {
  enum class Kind : std::uint8_t { kActivate, kPrecharge, kRead, kWrite, kRefresh };
  Kind kind = Kind::kActivate;
  std::uint32_t channel = 0, bank = 0;  // bank 0 for kRefresh
  std::uint64_t row = 0;                // of kActivate, kRead and kWrite
  std::uint64_t clock = 0;
};

class BankedDram {
 public:
  /// `timing` as its reader has checked it.
  BankedDram(const DramTiming& timing, double clock_mhz);

  /// Begins a command at array cycle `start_cycle`, not before the finish of the last one.
  void begin(std::uint64_t start_cycle);
  /// Bytes [address, address + bytes), cut into bursts.
  void access(std::uint64_t address, std::uint64_t bytes, bool is_write);
  /// The array edge at which the last burst is done; the begin where there was none.
  std::uint64_t finish();

  const DramEvents& events() const { return events_; }
  /// Appends every command from now on to `log`, unordered; null ends it.
  void log_to(std::vector<DramCommand>* log) { log_ = log; }

 private:
  struct Bank {
    std::uint64_t row = kNone;
    std::uint64_t column_ready = 0, precharge_ready = 0, activate_ready = 0;
  };
  struct Channel {
    std::uint64_t refresh_due = 0;
    std::uint64_t last_column = 0, read_ready = 0, write_ready = 0;
    std::uint64_t activate_ready = 0;          // t_rrd, refresh
    std::array<std::uint64_t, 4> faw_ready{};  // t_faw after each of the last four activates
    std::uint32_t faw_oldest = 0;
  };
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};

  void issue(std::uint32_t channel, std::uint32_t bank, std::uint64_t row, std::uint64_t bursts,
             bool is_write);
  /// The earliest clock at which `row` can be opened in `bank`; the row to close is closed at
  /// `precharge`.
  std::uint64_t activate_clock(const Channel& channel, const Bank& bank,
                               std::uint64_t& precharge) const;
  void refresh(std::uint32_t channel);
  void refresh_until(std::uint32_t channel, std::uint64_t clock);
  void log(DramCommand::Kind kind, std::uint32_t channel, std::uint32_t bank, std::uint64_t row,
           std::uint64_t clock) {
    if (log_) log_->push_back({kind, channel, bank, row, clock});
  }

  DramTiming t_;
  std::uint64_t array_hz_ = 1, dram_hz_ = 1;  // reduced
  std::uint32_t column_step_ = 0;             // clocks between bursts of one direction
  std::uint32_t look_ahead_ = 0;              // clocks
  int burst_shift_ = 0, channel_shift_ = 0, stripe_shift_ = 0, bank_shift_ = 0;

  std::vector<Channel> channels_;
  std::vector<Bank> banks_;  // [channel][bank]
  std::uint64_t begin_cycle_ = 0, begin_clock_ = 0, end_clock_ = 0;
  std::uint64_t last_burst_ = kNone;
  bool last_write_ = false;
  DramEvents events_;
  std::vector<DramCommand>* log_ = nullptr;
};

}  // namespace bitpulse
