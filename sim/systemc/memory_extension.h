// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the DMA tells the memory beside the generic payload. A memory may ignore it: it then sees
// plain reads and writes, each a transfer of its own.

#include <cstdint>
#include <tlm>

#include "sim/memory/banked_dram.h"

namespace bitpulse {

struct DmaExtension : tlm::tlm_extension<DmaExtension> {
  bool first = true;  // of the runs of a command
  bool last = true;
  std::uint64_t command_bytes = 0;  // all runs together
  DramEvents events;                // answer, filled by memories that count them

  tlm::tlm_extension_base* clone() const override { return new DmaExtension(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override {
    *this = static_cast<const DmaExtension&>(other);
  }
};

}  // namespace bitpulse
