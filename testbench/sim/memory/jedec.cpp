// SPDX-License-Identifier: Apache-2.0
#include "testbench/sim/memory/jedec.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace bitpulse::jedec {
namespace {

using Kind = DramCommand::Kind;

bool is_burst(const DramCommand& c) { return c.kind == Kind::kRead || c.kind == Kind::kWrite; }

std::uint64_t data_start(const DramTiming& t, const DramCommand& c) {
  return c.clock + (c.kind == Kind::kWrite ? t.t_cwl : t.t_cl);
}

std::string describe(const DramCommand& c) {
  const char* names[] = {"ACT", "PRE", "RD", "WR", "REF"};
  return std::string(names[static_cast<int>(c.kind)]) + " channel " + std::to_string(c.channel) +
         " bank " + std::to_string(c.bank) + " row " + std::to_string(c.row) + " at " +
         std::to_string(c.clock);
}

}  // namespace

std::optional<std::uint64_t> distance(const DramTiming& t, const DramCommand& earlier,
                                      const DramCommand& later) {
  const bool same_bank = earlier.bank == later.bank;
  const std::uint64_t burst = t.burst_clocks;
  if (earlier.kind == Kind::kRefresh) return t.t_rfc;
  switch (later.kind) {
    case Kind::kActivate:
      if (earlier.kind == Kind::kActivate) return same_bank ? std::max(t.t_rc, t.t_rrd) : t.t_rrd;
      if (earlier.kind == Kind::kPrecharge && same_bank) return t.t_rp;
      break;
    case Kind::kPrecharge:
      if (!same_bank) break;
      if (earlier.kind == Kind::kActivate) return t.t_ras;
      if (earlier.kind == Kind::kRead) return t.t_rtp;
      if (earlier.kind == Kind::kWrite) return t.t_cwl + burst + t.t_wr;
      break;
    case Kind::kRead:
      if (earlier.kind == Kind::kActivate && same_bank) return t.t_rcd;
      if (earlier.kind == Kind::kRead) return std::max<std::uint64_t>(t.t_ccd, burst);
      if (earlier.kind == Kind::kWrite) return t.t_cwl + burst + t.t_wtr;
      break;
    case Kind::kWrite:
      if (earlier.kind == Kind::kActivate && same_bank) return t.t_rcd;
      if (earlier.kind == Kind::kWrite) return std::max<std::uint64_t>(t.t_ccd, burst);
      if (earlier.kind == Kind::kRead) {
        // The bus needs two clocks to turn round; commands keep t_ccd in any case.
        const std::int64_t turn = std::int64_t{t.t_cl} + t.burst_clocks + 2 - t.t_cwl;
        return static_cast<std::uint64_t>(
            std::max<std::int64_t>({turn, std::int64_t{t.t_ccd}, std::int64_t{t.burst_clocks}}));
      }
      break;
    case Kind::kRefresh:
      if (earlier.kind == Kind::kPrecharge) return t.t_rp;
      if (earlier.kind == Kind::kActivate) return t.t_rc;
      break;
  }
  return std::nullopt;
}

std::string find_violation(const DramTiming& t, std::vector<DramCommand> log) {
  // A refresh is logged at its own clock; at one clock a row is closed before anything else.
  std::stable_sort(log.begin(), log.end(), [](const DramCommand& a, const DramCommand& b) {
    return a.channel != b.channel ? a.channel < b.channel : a.clock < b.clock;
  });
  std::map<std::uint32_t, std::optional<std::uint64_t>> open;
  std::vector<std::uint64_t> activates;
  std::uint64_t refreshes = 0, bus_free = 0;
  for (std::size_t j = 0; j < log.size(); ++j) {
    const DramCommand& c = log[j];
    if (j > 0 && log[j - 1].channel != c.channel) {
      open.clear();
      activates.clear();
      refreshes = bus_free = 0;
    }
    for (std::size_t i = j; i-- > 0 && log[i].channel == c.channel;) {
      const auto least = distance(t, log[i], c);
      if (least && c.clock - log[i].clock < *least) {
        return describe(c) + " follows " + describe(log[i]) + " by less than " +
               std::to_string(*least);
      }
    }
    const std::uint64_t due = (refreshes + 1) * t.t_refi;
    if (c.clock >= due && c.kind != Kind::kRefresh && c.kind != Kind::kPrecharge) {
      return describe(c) + " though a refresh is due since " + std::to_string(due);
    }
    switch (c.kind) {
      case Kind::kActivate:
        if (open[c.bank]) return describe(c) + " into an open bank";
        if (activates.size() >= 4 && c.clock - activates[activates.size() - 4] < t.t_faw) {
          return describe(c) + " is the fifth activate within t_faw";
        }
        activates.push_back(c.clock);
        open[c.bank] = c.row;
        break;
      case Kind::kPrecharge:
        if (!open[c.bank]) return describe(c) + " of a closed bank";
        open[c.bank].reset();
        break;
      case Kind::kRead:
      case Kind::kWrite:
        if (open[c.bank] != c.row) return describe(c) + " to a row that is not open";
        if (data_start(t, c) < bus_free) return describe(c) + " while the data bus is in use";
        bus_free = data_start(t, c) + t.burst_clocks;
        break;
      case Kind::kRefresh:
        if (c.clock < due) return describe(c) + " before it is due at " + std::to_string(due);
        for (const auto& [bank, row] : open) {
          if (row) return describe(c) + " while bank " + std::to_string(bank) + " is open";
        }
        ++refreshes;
        break;
    }
  }
  return "";
}

void SlowDram::begin(std::uint64_t start_cycle) {
  begin_cycle_ = start_cycle;
  const auto start = static_cast<long double>(start_cycle) * t_.dram_mhz;
  begin_clock_ = static_cast<std::uint64_t>(std::ceil(start / clock_mhz_));
  end_clock_ = 0;
  last_burst_.reset();
  for (std::uint32_t c = 0; c < t_.channels; ++c) {
    while ((refreshes(c) + 1) * t_.t_refi <= begin_clock_) refresh(c);
  }
}

void SlowDram::access(std::uint64_t address, std::uint64_t bytes, bool is_write) {
  for (std::uint64_t byte = address; byte < address + bytes; ++byte) {
    const std::pair<std::uint64_t, bool> next{byte / t_.burst_bytes, is_write};
    if (last_burst_ == next) continue;
    last_burst_ = next;
    burst(next.first, is_write);
  }
}

std::uint64_t SlowDram::finish() const {
  const auto end = static_cast<long double>(end_clock_) * clock_mhz_;
  return std::max(begin_cycle_, static_cast<std::uint64_t>(std::ceil(end / t_.dram_mhz)));
}

void SlowDram::burst(std::uint64_t index, bool is_write) {
  const std::uint64_t columns = t_.row_bytes / t_.burst_bytes;
  DramCommand column;
  column.kind = is_write ? Kind::kWrite : Kind::kRead;
  column.channel = static_cast<std::uint32_t>(index % t_.channels);
  column.bank = static_cast<std::uint32_t>(index / t_.channels / columns % t_.banks);
  column.row = index / t_.channels / columns / t_.banks;

  const auto open = open_row(column.channel, column.bank);
  std::vector<DramCommand> opening;
  if (open != column.row) {
    std::uint64_t seen = begin_clock_;
    for (const DramCommand& c : log_) {
      const std::uint64_t ahead = 16 * std::max(t_.t_ccd, t_.burst_clocks);
      if (is_burst(c) && c.channel == column.channel && c.clock > ahead) {
        seen = std::max(seen, c.clock - ahead);
      }
    }
    if (open) {
      DramCommand close{Kind::kPrecharge, column.channel, column.bank, *open, 0};
      close.clock = seen = earliest(close, seen);
      opening.push_back(close);
      seen += t_.t_rp;
    }
    DramCommand activate{Kind::kActivate, column.channel, column.bank, column.row, 0};
    activate.clock = earliest(activate, seen);
    opening.push_back(activate);
    column.clock = earliest(column, std::max(begin_clock_, activate.clock + t_.t_rcd));
  } else {
    column.clock = earliest(column, begin_clock_);
  }
  if (column.clock >= (refreshes(column.channel) + 1) * t_.t_refi) {
    refresh(column.channel);
    return burst(index, is_write);
  }
  log_.insert(log_.end(), opening.begin(), opening.end());
  log_.push_back(column);
  end_clock_ = std::max(end_clock_, data_start(t_, column) + t_.burst_clocks);
}

std::uint64_t SlowDram::earliest(const DramCommand& command, std::uint64_t from) const {
  std::vector<std::uint64_t> activates;
  for (const DramCommand& earlier : log_) {
    if (earlier.channel != command.channel) continue;
    if (const auto least = distance(t_, earlier, command)) {
      from = std::max(from, earlier.clock + *least);
    }
    if (earlier.kind == Kind::kActivate) activates.push_back(earlier.clock);
  }
  if (command.kind == Kind::kActivate && activates.size() >= 4) {
    from = std::max(from, activates[activates.size() - 4] + t_.t_faw);
  }
  return from;
}

void SlowDram::refresh(std::uint32_t channel) {
  const std::uint64_t due = (refreshes(channel) + 1) * t_.t_refi;
  for (std::uint32_t bank = 0; bank < t_.banks; ++bank) {
    if (const auto row = open_row(channel, bank)) {
      DramCommand close{Kind::kPrecharge, channel, bank, *row, 0};
      close.clock = earliest(close, due);
      log_.push_back(close);
    }
  }
  DramCommand refresh{Kind::kRefresh, channel, 0, 0, 0};
  refresh.clock = earliest(refresh, due);
  log_.push_back(refresh);
}

std::optional<std::uint64_t> SlowDram::open_row(std::uint32_t channel, std::uint32_t bank) const {
  for (auto c = log_.rbegin(); c != log_.rend(); ++c) {
    if (c->channel != channel || c->bank != bank) continue;
    if (c->kind == Kind::kActivate) return c->row;
    if (c->kind == Kind::kPrecharge) return std::nullopt;
  }
  return std::nullopt;
}

std::uint64_t SlowDram::refreshes(std::uint32_t channel) const {
  return static_cast<std::uint64_t>(
      std::count_if(log_.begin(), log_.end(), [channel](const DramCommand& c) {
        return c.kind == Kind::kRefresh && c.channel == channel;
      }));
}

}  // namespace bitpulse::jedec
