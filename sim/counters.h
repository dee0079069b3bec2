// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an engine counts, per layer. Every counter is an integer with a name, a unit and a sentence
// in one table; reports, CSV headers and action counts are printed from that table.

#include <array>
#include <cstdint>
#include <map>
#include <utility>

namespace bitpulse {

struct Counters {
  std::uint64_t folds = 0;
  std::uint64_t pe_cycles_used = 0;
  std::uint64_t act_read_bits = 0, act_write_bits = 0;
  std::uint64_t weight_read_bits = 0, weight_write_bits = 0;
  std::uint64_t acc_read_bits = 0, acc_write_bits = 0;
  std::uint64_t out_read_bits = 0, out_write_bits = 0;
  std::uint64_t vector_element_ops = 0;
  std::uint64_t dram_read_bytes = 0, dram_write_bytes = 0;
  std::uint64_t dram_activates = 0, dram_row_hits = 0, dram_refreshes = 0;
  std::uint64_t overflow_intermediate = 0, overflow_final = 0;
  std::uint64_t saturations = 0;
  /// Multiply-accumulates by (activation bits, weight bits) as stored.
  std::map<std::pair<int, int>, std::uint64_t> macs;

  friend bool operator==(const Counters&, const Counters&);
  friend Counters& operator+=(Counters&, const Counters&);
  /// Adds what has come since `before` so many times more.
  void repeat(const Counters& before, std::uint64_t times);
};

struct CounterInfo {
  std::uint64_t Counters::*member;
  const char* name;
  const char* unit;
  const char* meaning;
  const char* component;  // the block that acts
};

// How each is counted, so that engines agree:
//  - a fold of r x c streaming T on a PE whose operands take `la` activation and `lw` weight bits
//    per cycle (lanes times the digit width): ws reads r*c*lw weight bits and T*r*la activation
//    bits; is reads r*c*la activation and T*r*lw weight bits; os reads T*r*la activation and
//    T*c*lw weight bits. Unused lanes of an edge count: ports are that wide.
//  - ws, is: a fold writes T*c sums of acc_bits and reads as many unless it is the first into an
//    empty accumulator; os: a drain writes r*c sums and reads as many likewise. The vector unit
//    reads each sum of its tile once.
//  - pe_cycles_used: T*r*c per fold.
//  - macs: the products of each array command's tile.
//  - dram_refreshes: all-bank refreshes that have fallen due since the last DMA command, over all
//    channels; they belong to the layer of the command that meets them.
//  - buffers: the DMA writes (loads) and reads (stores) the bits of its runs, in a move on chip on
//    both sides, and then no DRAM; the vector unit reads
//    its act-buffer input once per window element, the identity once, and writes every store's
//    bits.
inline constexpr std::array<CounterInfo, 19> kCounterTable = {{
    {&Counters::folds, "folds", "count", "Folds the array ran, digit passes and groups included.",
     "array"},
    {&Counters::pe_cycles_used, "pe_cycles_used", "PE-cycles", "Cycles in which a PE multiplied.",
     "array"},
    {&Counters::act_read_bits, "act_read_bits", "bits", "Read from the activation buffer.",
     "act_buffer"},
    {&Counters::act_write_bits, "act_write_bits", "bits", "Written to the activation buffer.",
     "act_buffer"},
    {&Counters::weight_read_bits, "weight_read_bits", "bits", "Read from the weight buffer.",
     "weight_buffer"},
    {&Counters::weight_write_bits, "weight_write_bits", "bits", "Written to the weight buffer.",
     "weight_buffer"},
    {&Counters::acc_read_bits, "acc_read_bits", "bits", "Read from accumulator memory.",
     "accumulator"},
    {&Counters::acc_write_bits, "acc_write_bits", "bits", "Written to accumulator memory.",
     "accumulator"},
    {&Counters::out_read_bits, "out_read_bits", "bits", "Read from the output buffer.",
     "out_buffer"},
    {&Counters::out_write_bits, "out_write_bits", "bits", "Written to the output buffer.",
     "out_buffer"},
    {&Counters::vector_element_ops, "vector_element_ops", "count",
     "Elements times passes of the vector unit.", "vector"},
    {&Counters::dram_read_bytes, "dram_read_bytes", "bytes", "Read from DRAM.", "dram"},
    {&Counters::dram_write_bytes, "dram_write_bytes", "bytes", "Written to DRAM.", "dram"},
    {&Counters::dram_activates, "dram_activates", "count", "Rows opened (banked memory).", "dram"},
    {&Counters::dram_row_hits, "dram_row_hits", "count",
     "Bursts that found their row open (banked memory).", "dram"},
    {&Counters::dram_refreshes, "dram_refreshes", "count",
     "All-bank refreshes met (banked memory).", "dram"},
    {&Counters::overflow_intermediate, "overflow_intermediate", "count",
     "Additions or shifts whose exact result leaves acc_bits.", "accumulator"},
    {&Counters::overflow_final, "overflow_final", "count",
     "Output elements whose exact sum, before bias, leaves acc_bits.", "accumulator"},
    {&Counters::saturations, "saturations", "count",
     "Biased sums beyond 32 bits, residual branches and stored sums beyond 16.", "vector"},
}};

}  // namespace bitpulse
