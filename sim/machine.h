// SPDX-License-Identifier: Apache-2.0
#pragma once

// The machine: typed form of a machine JSON ("bitpulse/machine/1"), and what follows from a
// processing element's kind. Section numbers in sim/ are those of sim/README.md, the contract.

#include <cstdint>
#include <string>

#include "models/precision.h"
#include "quant/integer/accumulation.h"

namespace bitpulse {

enum class PeKind : std::uint8_t { kInt8, kInt4, kInt2, kFused };

struct ArraySpec {
  std::uint32_t rows = 32;  // 1..1024
  std::uint32_t cols = 32;
  Dataflow dataflow = Dataflow::kWs;
  PeKind pe = PeKind::kInt8;
  int acc_bits = 32;  // 8..32
  Overflow overflow = Overflow::kWrap;
  bool overlap = true;
};

/// Totals; each buffer is two halves and a tile fits one half.
struct BufferSpec {
  std::uint32_t act_kib = 64, weight_kib = 64, out_kib = 32, acc_kib = 32;
};

struct VectorSpec {
  std::uint32_t lanes = 32;
  Rounding rounding = Rounding::kHalfUp;
};

/// A DRAM part: organisation and timing in DRAM clocks. Sources stand in the parameter files.
struct DramTiming {
  std::string name;
  std::string source;
  std::string file;        // that says all this
  double dram_mhz = 1200;  // command clock
  std::uint32_t channels = 1, banks = 16, row_bytes = 1024, burst_bytes = 64;
  std::uint32_t burst_clocks = 4;  // data bus occupancy of a burst
  std::uint32_t t_rcd = 0, t_rp = 0, t_cl = 0, t_cwl = 0, t_ras = 0, t_rc = 0, t_ccd = 0, t_faw = 0,
                t_rrd = 0, t_wr = 0, t_wtr = 0, t_rtp = 0, t_refi = 0, t_rfc = 0;
};

enum class DramModel : std::uint8_t { kFixed, kBanked };
struct DramSpec {
  DramModel model = DramModel::kFixed;
  std::uint32_t bytes_per_cycle = 16;  // fixed
  std::uint32_t latency_cycles = 60;   // fixed
  DramTiming timing;                   // banked
};

struct Machine {
  std::string name;
  std::string file;  // it was read from, for messages; may be empty
  double clock_mhz = 800;
  ArraySpec array;
  BufferSpec buffers;
  VectorSpec vector;
  DramSpec dram;
  bool keep_on_chip = false;  // tensors may stay in the activation buffer (section 10)
  std::string technology = "45nm-bitfusion";
};

/// How a product of `act_bits` x `weight_bits` runs on a PE (section 2).
struct PeMode {
  int act_digit_bits = 8;  // width the PE multiplies; fused: 2, 4 or 8
  int weight_digit_bits = 8;
  std::int64_t lanes = 1;  // MACs per cycle, packed along input channels
  int act_digits = 1;
  int weight_digits = 1;
  int passes() const { return act_digits * weight_digits; }
};
PeMode pe_mode(PeKind pe, int act_bits, int weight_bits);

/// Bytes per cycle of a move on chip: the activation buffer takes (or gives) one per array row.
constexpr std::uint64_t on_chip_bytes_per_cycle(const ArraySpec& array) { return array.rows; }

/// "FILE: at POINTER", where a message finds a machine's value; its name in the place of the file
/// where it was read from none.
std::string place_in(const Machine& machine, const char* pointer);

const char* to_string(PeKind pe);
const char* to_string(Dataflow dataflow);

}  // namespace bitpulse
