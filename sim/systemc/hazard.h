// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hazards at a memory that several units use. Commands stand in program order, and a run must be as
// if they were executed one after the other: of two commands that use the same place, where one of
// them writes, the earlier must have finished when the later starts. Predecessors see to that in a
// correct program; a program that lacks one fails loudly here instead of computing from whatever
// stood in the buffer.

#include <cstdint>
#include <string>
#include <vector>

#include "sim/program.h"

namespace bitpulse {

/// Command `command` uses [begin, end) of a memory from cycle `start` up to `finish`.
struct Claim {
  std::uint64_t begin = 0, end = 0;
  bool writes = false;
  CommandId command = 0;
  std::uint64_t start = 0, finish = 0;
};

class HazardCheck {
 public:
  /// `in_order` memories have one writing unit, whose writes arrive in its order, so that two
  /// writing claims do not conflict (accumulator memory behind the array).
  HazardCheck(std::string memory, bool in_order)
      : memory_(std::move(memory)), in_order_(in_order) {}

  void clear() { live_.clear(); }

  /// Commands are added as they are issued, at cycle `now`, when no command before
  /// `oldest_waiting` waits in a queue any more.
  ///
  /// errors  Error(kInternal) naming memory, place and both commands
  void add(const Claim& claim, std::uint64_t now, CommandId oldest_waiting);

 private:
  std::string memory_;
  bool in_order_;
  std::vector<Claim> live_;  // those that a command yet to be issued could meet
};

}  // namespace bitpulse
