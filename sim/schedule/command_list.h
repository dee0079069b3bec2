// SPDX-License-Identifier: Apache-2.0
#pragma once

// Takes the commands of one layer in their order: each is begun, waits for others, and is ended.
// They are appended to a program; or, in a trial, only their times are counted.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/command_timer.h"
#include "sim/program.h"
#include "sim/schedule/program_sizes.h"
#include "sim/schedule/tally.h"
#include "sim/schedule/tiles.h"
#include "sim/schedule/trial_state.h"

namespace bitpulse {

/// A layer alone on an idle machine, counted command by command, and given up as soon as it must
/// exceed a limit. With a tally, each command is also made, told, and thrown away.
struct Trial {
  Trial(CommandTimer& in, bool in_banked_memory, LayerTiles& lent)
      : timer(in), needs_addresses(in_banked_memory), tiles(lent) {}
  CommandTimer& timer;
  const bool needs_addresses;  // in DRAM
  LayerTiles& tiles;           // lists to fill
  std::uint64_t limit = ~std::uint64_t{0};
  UnitWaits unhindered;  // at least its cycles, if that unit never waited
  std::uint64_t cycles = 0, dram_bytes = 0;
  ProgramSizes sizes;  // of what the program would get
  Tally* tally = nullptr;

  struct Totals {
    std::uint64_t cycles = 0, dram_bytes = 0;
    UnitWaits waited;
    ProgramSizes sizes;
    std::optional<Tally::Totals> tallied;
  };
  Totals totals() const {
    Totals now{cycles, dram_bytes, timer.waited(), sizes, std::nullopt};
    if (tally != nullptr) now.tallied = tally->totals;
    return now;
  }
  /// What has come since `before` comes so many times more.
  void repeat(const Totals& before, std::size_t times) {
    const std::uint64_t later = times * (cycles - before.cycles);
    const UnitWaits waited = timer.waited();
    timer.skip(later, {times * (waited.dma - before.waited.dma),
                       times * (waited.array - before.waited.array)});
    if (tally != nullptr) tally->repeat(*before.tallied, times, later);
    cycles += later;
    dram_bytes += times * (dram_bytes - before.dram_bytes);
    sizes.repeat(before.sizes, times);
  }
  bool exceeds() const {
    const UnitWaits waited = timer.waited();
    return cycles > limit || unhindered.array + waited.array > limit ||
           unhindered.dma + waited.dma > limit;
  }
};

class CommandList {
 public:
  /// In a trial `program` lends its lists of patterns and weights.
  CommandList(Program& program, std::uint32_t layer, Trial* trial)
      : program_(program),
        layer_(layer),
        trial_(trial),
        barrier_(program.commands.empty() ? kNoMark : program.commands.size() - 1) {}

  Program& program() { return program_; }
  std::uint32_t layer() const { return layer_; }
  bool is_trial() const { return trial_ != nullptr; }
  Trial& trial() { return *trial_; }
  /// Whether array and vector commands are to be made.
  bool is_described() const { return trial_ == nullptr || trial_->tally != nullptr; }
  bool is_given_up() const { return trial_ != nullptr && trial_->exceeds(); }
  bool wants_addresses() const { return trial_ == nullptr || trial_->needs_addresses; }

  /// The command waits for one of `unit`. Of those that finish at once, the first is named last.
  void wait_for(Mark mark, Unit unit) {
    if (mark == kNoMark) return;
    if (trial_ != nullptr) {
      if (mark >= ready_) cause_ = unit;
      ready_ = std::max(ready_, mark);
      ++trial_->sizes.predecessors;
      return;
    }
    program_.predecessors.push_back(static_cast<CommandId>(mark));
    ++program_.commands.back().predecessor_count;
  }

  /// The first command of a queue must not run into the layer before, whose last command is a
  /// store.
  void wait_for_layer_before(bool& waited) {
    if (!waited && trial_ == nullptr && program_.commands.back().predecessor_count == 0) {
      wait_for(barrier_, Unit::kDma);
    }
    waited = true;
  }

  /// A dma command; its patterns are appended to the program's before it is ended.
  void begin_dma(Buffer buffer, bool is_store, bool on_chip = false) {
    DmaCommand& dma = trial_ != nullptr ? dma_ : program_.dma.emplace_back();
    dma.is_store = is_store;
    dma.on_chip = on_chip;
    dma.buffer = buffer;
    dma.first_pattern = static_cast<std::uint32_t>(program_.patterns.size());
    begin(Unit::kDma, program_.dma.size());
  }
  Mark end_dma(std::uint64_t bytes) {
    DmaCommand& dma = trial_ != nullptr ? dma_ : program_.dma.back();
    dma.bytes = bytes;
    dma.pattern_count = static_cast<std::uint32_t>(program_.patterns.size()) - dma.first_pattern;
    if (trial_ == nullptr) return end();
    if (!dma.on_chip) trial_->dram_bytes += bytes;
    ++trial_->sizes.dma;
    trial_->sizes.patterns += dma.pattern_count;
    if (trial_->tally != nullptr) program_.dma.push_back(dma);
    const Mark mark = trial_->tally != nullptr ? tell(program_.dma)
                                               : finish(trial_->timer.dma(program_, dma, ready_));
    program_.patterns.clear();
    return mark;
  }

  /// An array command, the last of the program's.
  void begin_array() { begin(Unit::kArray, program_.array.size()); }
  Mark end_array(const FoldNest& nest) {
    if (trial_ == nullptr) return end();
    ++trial_->sizes.array;
    if (trial_->tally != nullptr) return tell(program_.array);
    return finish(trial_->timer.array(nest, ready_));
  }

  /// A vector command, the last of the program's.
  void begin_vector() { begin(Unit::kVector, program_.vector.size()); }
  Mark end_vector(std::uint64_t elements, std::uint32_t passes) {
    if (trial_ == nullptr) return end();
    ++trial_->sizes.vector;
    if (trial_->tally != nullptr) return tell(program_.vector);
    return finish(trial_->timer.vector(elements, passes, ready_));
  }

 private:
  /// `payloads`: length of the unit's list, whose last is the command's.
  void begin(Unit unit, std::size_t payloads) {
    if (trial_ != nullptr) {
      ready_ = 0;
      unit_ = unit;
      cause_ = Unit::kDma;  // the last store of the layer before
      ++trial_->sizes.commands;
      return;
    }
    Command& command = program_.commands.emplace_back();
    command.unit = unit;
    command.layer = layer_;
    command.payload = static_cast<std::uint32_t>(payloads - 1);
    command.first_predecessor = static_cast<std::uint32_t>(program_.predecessors.size());
  }
  Mark end() const { return program_.commands.size() - 1; }
  /// The tally's command in hand, the only one in the unit's list.
  template <class Payload>
  Mark tell(std::vector<Payload>& list) {
    Command command;
    command.unit = unit_;
    command.layer = layer_;
    const CommandTime time = trial_->timer.issue(program_, command, ready_);
    trial_->tally->add(program_, command, time, cause_);
    list.clear();
    return finish(time.finish);
  }
  Mark finish(std::uint64_t cycle) {
    trial_->cycles = std::max(trial_->cycles, cycle);
    return cycle;
  }

  Program& program_;
  const std::uint32_t layer_;
  Trial* const trial_;
  const Mark barrier_;  // the last store of the layer before
  DmaCommand dma_;      // a trial's, in hand
  // Of the trial's command in hand: its unit, what it waits for, and whom.
  Unit unit_ = Unit::kDma;
  std::uint64_t ready_ = 0;
  Unit cause_ = Unit::kDma;
};

}  // namespace bitpulse
