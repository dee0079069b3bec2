// SPDX-License-Identifier: Apache-2.0
#pragma once

// Buffer hazards: two commands in flight at once must not touch the same place if one of them
// writes. A correct program orders them by predecessors; one that does not fails loudly here
// instead of giving values that depend on luck.

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
  /// `in_order` memories take the writes of successive commands of one unit in their order, so
  /// that two writing claims do not conflict (accumulator memory behind the array).
  HazardCheck(std::string memory, bool in_order)
      : memory_(std::move(memory)), in_order_(in_order) {}

  void clear() { live_.clear(); }

  /// Commands are added in the order in which they are issued, at cycle `now`.
  ///
  /// errors  Error(kInternal) naming memory, place and both commands
  void add(const Claim& claim, std::uint64_t now);

 private:
  std::string memory_;
  bool in_order_;
  std::vector<Claim> live_;
};

}  // namespace bitpulse
