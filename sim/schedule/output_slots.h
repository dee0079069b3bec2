// SPDX-License-Identifier: Apache-2.0
#pragma once

// The two slots of the output buffer: an output tile is opened when its first step begins, its
// identity codes are loaded beside it, and its store is emitted kStoreLag steps after its last
// one, so that the loads of those steps go first.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/address_map.h"
#include "sim/schedule/command_list.h"
#include "sim/schedule/layer_shape.h"

namespace bitpulse {

class OutputSlots {
 public:
  /// Keeps references to all but `slot_bits`, what each slot holds.
  OutputSlots(CommandList& commands, const LayerShape& shape, const LayerAddresses& addresses,
              std::int64_t slot_bits)
      : commands_(commands), shape_(shape), addresses_(addresses), slot_bits_(slot_bits) {}

  /// After the loads of a step: the stores that are due.
  void begin_step() { store_up_to(++step_); }

  /// Opens the tile of these pixels and channels, where none is open, and loads its identity.
  void open(Range m, Range channels) {
    if (!open_) start(m, channels);
  }
  /// The open tile's last vector command is `vector`; it is stored when its time comes.
  void close(Range m, Range channels, Mark vector);
  void store_all() { store_up_to(step_ + kStoreLag); }

  /// The command that frees (and fills) the open tile's slot; asked once, as later commands of the
  /// tile come after the one that waits for it.
  Mark take_ready() {
    const Mark ready = ready_;
    ready_ = kNoMark;
    return ready;
  }
  /// Of a trial.
  void describe(TrialState& state, const UnitTimes& now) const;
  void skip(const Skip& skip);
  std::int64_t steps() const { return step_; }
  std::int64_t tiles() const { return outputs_; }

  const Region& identity() const { return identity_; }   // channels and place of the open tile's
  std::uint32_t first_output() const { return first_; }  // of the open tile, in Program::outputs

 private:
  static constexpr std::int64_t kStoreLag = 2;  // steps of loads that go before a store

  struct Pending {
    std::int64_t step = 0;
    Mark vector = kNoMark;
    Range m, channels;
    std::size_t slot = 0;
  };
  void start(Range m, Range channels);
  void load_identity_tile(Range m, Range channels, std::uint64_t at);
  /// Emits the stores of steps up to `step` - kStoreLag.
  void store_up_to(std::int64_t step) {
    while (stored_tiles_ < outputs_ && pending().step + kStoreLag <= step) {
      store(pending());
      ++stored_tiles_;
    }
  }
  void store(const Pending& pending);
  Pending& pending() { return pending_[static_cast<std::size_t>(stored_tiles_ % kStoreLag)]; }
  std::size_t slot() const { return static_cast<std::size_t>(outputs_ % 2); }

  CommandList& commands_;
  const LayerShape& shape_;
  const LayerAddresses& addresses_;
  const std::int64_t slot_bits_;

  std::int64_t step_ = -1;    // of loads
  std::int64_t outputs_ = 0;  // tiles closed: slots alternate
  bool open_ = false;
  std::uint32_t first_ = 0;
  Mark ready_ = kNoMark;
  Region identity_;
  std::array<Mark, 2> stored_{kNoMark, kNoMark};
  std::array<Pending, kStoreLag> pending_;  // by slot
  std::int64_t stored_tiles_ = 0;
};

}  // namespace bitpulse
