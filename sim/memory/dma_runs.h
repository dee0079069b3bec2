// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bytes a DMA command touches in DRAM, run by run in the order of its patterns.

#include <cstdint>

#include "sim/program.h"

namespace bitpulse {

/// Calls visit(address, bytes) for every run of every pattern; a run that starts or ends inside a
/// byte touches the whole byte. Runs of a pattern that follow one another without a gap are handed
/// over as one (the memory sees no difference: see BankedDram::access).
template <class Visit>
void for_each_byte_run(const Program& program, const DmaCommand& dma, Visit&& visit) {
  for (std::uint32_t i = 0; i < dma.pattern_count; ++i) {
    DmaPattern p = program.patterns[dma.first_pattern + i];
    if (p.runs > 1 && p.dram_run_stride == p.run_bits) {
      p.run_bits *= p.runs;
      p.runs = 1;
    }
    if (p.rows > 1 && p.runs == 1 && p.dram_row_stride == p.run_bits) {
      p.run_bits *= p.rows;
      p.rows = 1;
    }
    for (std::uint64_t row = 0; row < p.rows; ++row) {
      std::uint64_t bit = p.dram_bit + row * p.dram_row_stride;
      for (std::uint64_t run = 0; run < p.runs; ++run, bit += p.dram_run_stride) {
        const std::uint64_t first = bit / 8;
        visit(first, (bit + p.run_bits + 7) / 8 - first);
      }
    }
  }
}

}  // namespace bitpulse
