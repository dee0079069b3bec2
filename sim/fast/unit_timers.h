// SPDX-License-Identifier: Apache-2.0
#pragma once

// The closed forms of the three units, each with the state that its next command meets.

#include <cstdint>
#include <optional>

#include "sim/command_timer.h"
#include "sim/fast/array_timer.h"
#include "sim/memory/banked_dram.h"

namespace bitpulse {

class UnitTimers final : public CommandTimer {
 public:
  /// Keeps a reference.
  explicit UnitTimers(const Machine& machine);

  void reset() override;
  CommandTime issue(const Program& program, const Command& command, std::uint64_t ready) override;
  std::uint64_t dma(const Program& program, const DmaCommand& command,
                    std::uint64_t ready) override;
  std::uint64_t array(const FoldNest& nest, std::uint64_t ready) override {
    return array_.issue(nest, ready).finish;
  }
  std::uint64_t vector(std::uint64_t elements, std::uint32_t passes, std::uint64_t ready) override;

  UnitWaits waited() const override { return {dma_waited_, array_.waited()}; }
  UnitTimes times() const override { return {dma_free_, array_.time(), vector_free_}; }
  void skip(std::uint64_t cycles, UnitWaits waited) override;

  /// What `banked` memory has done so far.
  DramEvents dram_events() const { return dram_ ? dram_->events() : DramEvents{}; }

 private:
  const Machine& machine_;
  ArrayTimer array_;
  std::optional<BankedDram> dram_;
  std::uint64_t dma_free_ = 0, vector_free_ = 0;
  std::uint64_t dma_waited_ = 0;
};

}  // namespace bitpulse
