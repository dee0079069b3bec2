// SPDX-License-Identifier: Apache-2.0
#pragma once

// The accumulator memory: tiles of sums that the array adds into in program order and the vector
// unit reads once complete. A tile stands from its acc_offset on as [group][m][n]; depthwise groups
// are kept as one tile of as many channels.

#include <cstdint>
#include <map>
#include <systemc>
#include <vector>

#include "quant/integer/kernels.h"
#include "sim/systemc/hazard.h"
#include "sim/systemc/run_state.h"

namespace bitpulse {

/// Sums of one tile: one SumTile per convolution group, or one for all groups if depthwise.
struct AccTile {
  GemmTile tile;
  std::vector<SumTile> sums;
  CommandId last_writer = 0;
  bool unread = true;  // the vector unit has not seen these sums
};

class AccumulatorIf : public virtual sc_core::sc_interface {
 public:
  /// Notes which sums a command issued now reads or writes, and when.
  ///
  /// errors  Error(kInternal): a place beyond the memory, a hazard
  virtual void claim(const Claim& sums) = 0;
  /// The sums that stand from `offset` on and that an array command adds to: an empty tile of
  /// `sum_tiles` SumTiles unless it accumulates.
  ///
  /// errors  Error(kInternal): sums overwritten unread, sums of another tile to add to
  virtual AccTile& write(CommandId command, std::uint64_t offset, const GemmTile& tile,
                         bool accumulate, std::size_t sum_tiles) = 0;
  /// The sums of `tile`, which the vector unit reads.
  virtual AccTile& read(CommandId command, std::uint64_t offset, const GemmTile& tile) = 0;
};

class AccumulatorModule : public sc_core::sc_module, public AccumulatorIf {
 public:
  sc_core::sc_export<AccumulatorIf> access{"access"};

  explicit AccumulatorModule(const sc_core::sc_module_name& name);

  /// Room for `kib` KiB of sums of `acc_bits`.
  void reset(const RunState& run, std::uint32_t kib, int acc_bits);

  void claim(const Claim& sums) override;
  AccTile& write(CommandId command, std::uint64_t offset, const GemmTile& tile, bool accumulate,
                 std::size_t sum_tiles) override;
  AccTile& read(CommandId command, std::uint64_t offset, const GemmTile& tile) override;

 private:
  AccTile& find(CommandId command, std::uint64_t offset, const GemmTile& tile);
  void evict(CommandId command, std::uint64_t begin, std::uint64_t end);

  struct Place {
    std::uint64_t end = 0;
    AccTile tile;
  };
  std::map<std::uint64_t, Place> places_;  // by first sum, disjoint
  const RunState* run_ = nullptr;
  std::uint64_t size_ = 0;
  HazardCheck hazards_;
};

}  // namespace bitpulse
