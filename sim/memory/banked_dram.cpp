// SPDX-License-Identifier: Apache-2.0
#include "sim/memory/banked_dram.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace bitpulse {
namespace {

constexpr std::uint32_t kLookAheadBursts = 16;
constexpr std::uint32_t kTurnaroundClocks = 2;  // data bus, read to write

int log2_exact(std::uint64_t value) {
  int shift = 0;
  while ((std::uint64_t{1} << shift) < value) ++shift;
  assert((std::uint64_t{1} << shift) == value);
  return shift;
}

/// ceil(a * b / c), exact.
std::uint64_t scale_up(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>((product + (c - 1)) / c);
}

}  // namespace

BankedDram::BankedDram(const DramTiming& timing, double clock_mhz)
    : t_(timing),
      array_hz_(static_cast<std::uint64_t>(std::llround(clock_mhz * 1e6))),
      dram_hz_(static_cast<std::uint64_t>(std::llround(timing.dram_mhz * 1e6))),
      column_step_(std::max(timing.t_ccd, timing.burst_clocks)),
      look_ahead_(kLookAheadBursts * column_step_),
      burst_shift_(log2_exact(timing.burst_bytes)),
      channel_shift_(log2_exact(timing.channels)),
      stripe_shift_(channel_shift_ + log2_exact(timing.row_bytes / timing.burst_bytes)),
      bank_shift_(log2_exact(timing.banks)),
      channels_(timing.channels),
      banks_(std::size_t{timing.channels} * timing.banks) {
  assert(array_hz_ > 0 && dram_hz_ > 0);
  const std::uint64_t common = std::gcd(array_hz_, dram_hz_);
  array_hz_ /= common;
  dram_hz_ /= common;
  for (Channel& channel : channels_) channel.refresh_due = t_.t_refi;
}

void BankedDram::begin(std::uint64_t start_cycle) {
  begin_cycle_ = start_cycle;
  begin_clock_ = scale_up(start_cycle, dram_hz_, array_hz_);
  end_clock_ = 0;
  last_burst_ = kNone;
  for (std::uint32_t c = 0; c < t_.channels; ++c) refresh_until(c, begin_clock_);
}

void BankedDram::access(std::uint64_t address, std::uint64_t bytes, bool is_write) {
  if (bytes == 0) return;
  std::uint64_t burst = address >> burst_shift_;
  const std::uint64_t last = (address + bytes - 1) >> burst_shift_;
  if (burst == last_burst_ && is_write == last_write_) ++burst;
  last_burst_ = last;
  last_write_ = is_write;

  const std::uint64_t channel_mask = t_.channels - 1;
  while (burst <= last) {
    // A stripe is one row of one bank in all channels.
    const std::uint64_t stripe = burst >> stripe_shift_;
    const std::uint64_t end = std::min(last, ((stripe + 1) << stripe_shift_) - 1) + 1;
    const auto bank = static_cast<std::uint32_t>(stripe & (t_.banks - 1));
    const std::uint64_t row = stripe >> bank_shift_;
    const std::uint64_t each = (end - burst) >> channel_shift_;
    const std::uint64_t rest = (end - burst) & channel_mask;
    const std::uint64_t used = each > 0 ? t_.channels : rest;
    for (std::uint64_t i = 0; i < used; ++i) {
      const auto channel = static_cast<std::uint32_t>((burst + i) & channel_mask);
      issue(channel, bank, row, each + (i < rest ? 1 : 0), is_write);
    }
    burst = end;
  }
}

std::uint64_t BankedDram::finish() {
  return std::max(begin_cycle_, scale_up(end_clock_, array_hz_, dram_hz_));
}

std::uint64_t BankedDram::activate_clock(const Channel& channel, const Bank& bank,
                                         std::uint64_t& precharge) const {
  const std::uint64_t seen =
      channel.last_column > look_ahead_ ? channel.last_column - look_ahead_ : 0;
  std::uint64_t clock = std::max(begin_clock_, seen);
  if (bank.row != kNone) {
    precharge = std::max(clock, bank.precharge_ready);
    clock = precharge + t_.t_rp;
  }
  return std::max(
      {clock, bank.activate_ready, channel.activate_ready, channel.faw_ready[channel.faw_oldest]});
}

void BankedDram::issue(std::uint32_t channel_id, std::uint32_t bank_id, std::uint64_t row,
                       std::uint64_t bursts, bool is_write) {
  Channel& channel = channels_[channel_id];
  Bank& bank = banks_[std::size_t{channel_id} * t_.banks + bank_id];
  while (bursts > 0) {
    const bool hit = bank.row == row;
    std::uint64_t column =
        std::max(begin_clock_, is_write ? channel.write_ready : channel.read_ready);
    std::uint64_t precharge = 0, activate = 0;
    if (hit) {
      column = std::max(column, bank.column_ready);
    } else {
      activate = activate_clock(channel, bank, precharge);
      column = std::max(column, activate + t_.t_rcd);
    }
    if (column >= channel.refresh_due) {
      refresh(channel_id);
      continue;
    }
    if (!hit) {
      if (bank.row != kNone) {
        log(DramCommand::Kind::kPrecharge, channel_id, bank_id, bank.row, precharge);
      }
      log(DramCommand::Kind::kActivate, channel_id, bank_id, row, activate);
      bank = {row, activate + t_.t_rcd, activate + t_.t_ras, activate + t_.t_rc};
      channel.activate_ready = activate + t_.t_rrd;
      channel.faw_ready[channel.faw_oldest] = activate + t_.t_faw;
      channel.faw_oldest = (channel.faw_oldest + 1) % 4;
      ++events_.activates;
    }

    // The rest of the run hits the open row, one burst every column_step_, up to the refresh.
    std::uint64_t run = bursts;
    if (column + (run - 1) * column_step_ >= channel.refresh_due) {
      run = (channel.refresh_due - 1 - column) / column_step_ + 1;
    }
    const std::uint64_t last = column + (run - 1) * column_step_;
    events_.row_hits += run - (hit ? 0 : 1);
    if (log_) {
      const auto kind = is_write ? DramCommand::Kind::kWrite : DramCommand::Kind::kRead;
      for (std::uint64_t i = 0; i < run; ++i) {
        log(kind, channel_id, bank_id, row, column + i * column_step_);
      }
    }

    const std::uint64_t data_end = last + (is_write ? t_.t_cwl : t_.t_cl) + t_.burst_clocks;
    end_clock_ = std::max(end_clock_, data_end);
    channel.last_column = last;
    channel.read_ready = is_write ? data_end + t_.t_wtr : last + column_step_;
    channel.write_ready = last + column_step_;
    if (!is_write && data_end + kTurnaroundClocks > channel.write_ready + t_.t_cwl) {
      channel.write_ready = data_end + kTurnaroundClocks - t_.t_cwl;
    }
    bank.precharge_ready =
        std::max(bank.precharge_ready, is_write ? data_end + t_.t_wr : last + t_.t_rtp);
    bursts -= run;
  }
}

void BankedDram::refresh(std::uint32_t channel_id) {
  Channel& channel = channels_[channel_id];
  std::uint64_t clock = channel.refresh_due;
  for (std::uint32_t b = 0; b < t_.banks; ++b) {
    Bank& bank = banks_[std::size_t{channel_id} * t_.banks + b];
    if (bank.row == kNone) continue;
    const std::uint64_t precharge = std::max(channel.refresh_due, bank.precharge_ready);
    log(DramCommand::Kind::kPrecharge, channel_id, b, bank.row, precharge);
    clock = std::max({clock, precharge + t_.t_rp, bank.activate_ready});
    bank.row = kNone;
  }
  log(DramCommand::Kind::kRefresh, channel_id, 0, 0, clock);
  channel.activate_ready = std::max(channel.activate_ready, clock + t_.t_rfc);
  channel.refresh_due += t_.t_refi;
  ++events_.refreshes;
}

void BankedDram::refresh_until(std::uint32_t channel_id, std::uint64_t clock) {
  Channel& channel = channels_[channel_id];
  if (channel.refresh_due > clock) return;
  refresh(channel_id);
  if (channel.refresh_due > clock) return;
  // The channel has been idle: the others were on time, with all rows closed.
  const std::uint64_t idle = (clock - channel.refresh_due) / t_.t_refi + 1;
  if (log_) {
    for (std::uint64_t i = 0; i < idle; ++i) {
      log(DramCommand::Kind::kRefresh, channel_id, 0, 0, channel.refresh_due + i * t_.t_refi);
    }
  }
  channel.refresh_due += idle * t_.t_refi;
  channel.activate_ready = channel.refresh_due - t_.t_refi + t_.t_rfc;
  events_.refreshes += idle;
}

}  // namespace bitpulse
