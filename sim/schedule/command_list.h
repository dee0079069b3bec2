// SPDX-License-Identifier: Apache-2.0
#pragma once

// Appends the commands of one layer to a program: a command, then what it waits for; a dma command
// around the patterns that are appended in between.

#include <cstddef>
#include <cstdint>

#include "sim/program.h"

namespace bitpulse {

inline constexpr CommandId kNoCommand = ~CommandId{0};

/// What commands carry: everything, or, for trials, what times follow from with `fixed` memory (no
/// patterns, tiles, buffer addresses or weight blocks).
enum class Detail : std::uint8_t { kTiming, kAll };

class CommandList {
 public:
  CommandList(Program& program, std::uint32_t layer, Detail detail)
      : program_(program),
        layer_(layer),
        all_(detail == Detail::kAll),
        barrier_(program.commands.empty() ? kNoCommand
                                          : static_cast<CommandId>(program.commands.size() - 1)) {}

  Program& program() { return program_; }
  std::uint32_t layer() const { return layer_; }
  bool wants_all() const { return all_; }

  /// Opens a command; its predecessors are then added with wait_for.
  CommandId add(Unit unit, std::size_t payload) {
    Command& command = program_.commands.emplace_back();
    command.unit = unit;
    command.layer = layer_;
    command.payload = static_cast<std::uint32_t>(payload);
    command.first_predecessor = static_cast<std::uint32_t>(program_.predecessors.size());
    return static_cast<CommandId>(program_.commands.size() - 1);
  }

  void wait_for(CommandId predecessor) {
    if (predecessor == kNoCommand) return;
    program_.predecessors.push_back(predecessor);
    ++program_.commands.back().predecessor_count;
  }

  /// The first command of a queue must not run into the layer before, whose last command is a
  /// store.
  void wait_for_layer_before(bool& waited) {
    if (!waited && program_.commands.back().predecessor_count == 0) wait_for(barrier_);
    waited = true;
  }

  /// A dma command whose patterns begin here; finish_dma comes after they have been appended.
  CommandId begin_dma(Buffer buffer, bool is_store, bool on_chip = false) {
    DmaCommand& dma = program_.dma.emplace_back();
    dma.is_store = is_store;
    dma.on_chip = on_chip;
    dma.buffer = buffer;
    dma.first_pattern = static_cast<std::uint32_t>(program_.patterns.size());
    return add(Unit::kDma, program_.dma.size() - 1);
  }

  void finish_dma(std::uint64_t bytes) {
    DmaCommand& dma = program_.dma.back();
    dma.bytes = bytes;
    if (all_) {
      dma.pattern_count = static_cast<std::uint32_t>(program_.patterns.size()) - dma.first_pattern;
    } else {
      program_.patterns.clear();
    }
  }

 private:
  Program& program_;
  const std::uint32_t layer_;
  const bool all_;
  const CommandId barrier_;  // the last store of the layer before
};

}  // namespace bitpulse
