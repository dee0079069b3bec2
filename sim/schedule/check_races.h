// SPDX-License-Identifier: Apache-2.0
#pragma once

// Happens-before over the commands of a program, and the accesses to its buffers that need it.

#include <cstdint>
#include <string>
#include <vector>

#include "quant/integer/integer_network.h"
#include "sim/program.h"

namespace bitpulse {

/// For every command, which commands have finished before it starts, however long each takes:
/// predecessors, and on the dma and vector queues all earlier commands. Of two array commands the
/// earlier has finished before the later's end only where section 4 says so (finishes_after).
class HappensBefore {
 public:
  explicit HappensBefore(const Program& program);
  bool finished(CommandId first, CommandId second) const {
    return (bits_[second * words_ + first / 64] >> (first % 64) & 1) != 0;
  }

 private:
  void include(CommandId target, CommandId source);
  std::size_t words_;
  std::vector<std::uint64_t> bits_;
};

/// Appends a sentence for every access outside its buffer and every pair that may collide.
void check_buffers(const Program& program, const IntegerNetwork& network,
                   std::vector<std::string>& violations);

}  // namespace bitpulse
