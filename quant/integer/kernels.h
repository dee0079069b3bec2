// SPDX-License-Identifier: Apache-2.0
#pragma once

// GEMM tiles: sums of products of integer codes, exactly as AccumulationOrder says, with their
// overflows counted. The reference executor and the SystemC array form their sums with these
// functions, so that a tile computed command by command has the integers of the whole layer.
//
// A tile is one width group of one convolution group (or a run of depthwise groups), a range of
// output pixels (rows), of output channels and of K'. Where the interval of all partial sums of a
// channel fits acc_bits no addition can overflow, and an unordered vector kernel forms the sum;
// elsewhere every addition is done in order and checked.

#include <cstdint>
#include <vector>

#include "models/precision.h"
#include "quant/integer/accumulation.h"
#include "quant/integer/isa.h"

namespace bitpulse {

namespace detail {
struct KernelTable;
struct OrderedArgs;
}  // namespace detail

/// What decides the integers of a GEMM besides its operands.
struct GemmSpec {
  Precision act;               // 1..16 bits
  int weight_bits = 8;         // 1..16, signed
  std::int64_t positions = 1;  // kernel height times width
  std::int64_t cin = 1;        // input channels of a convolution group
  bool depthwise = false;      // cin = 1, and output channel n reads input channel n of its row
  AccumulationOrder order;

  /// K' = positions * ceil(cin / lanes).
  std::int64_t packed_k() const;
  /// The first of the K = positions * cin codes that K' element `k_packed` (0..K') covers.
  std::int64_t first_code(std::int64_t k_packed) const;
};

/// errors  kLimit, kInvalidInput: widths, digits, acc_bits or extents that no machine has
void check(const GemmSpec& spec);

/// How activation rows are stored: bytes (u8) or words (s16), as code + row_bias().
enum class RowForm : std::uint8_t { kBytes, kWords };
RowForm row_form(const GemmSpec& spec, Isa isa);
int row_bias(RowForm form, Precision act);

/// Activations of `count` output pixels: row i starts `i * stride` elements (of `form`) after
/// `data` and holds the codes of the tile's K' range, position-major, channels within (padding is
/// code 0, stored as row_bias); depthwise: [position][n]. kRowSlack elements after the last one
/// must be readable; their values do not matter.
inline constexpr std::int64_t kRowSlack = 16;
struct ActRows {
  const void* data = nullptr;
  std::int64_t stride = 0;
  std::int64_t count = 0;
};

/// Weights of a tile, packed for the vector kernels, with the interval of their sums.
class WeightTile {
 public:
  /// codes    [n][codes of K' elements k_begin..k_end-1]; depthwise: [n][positions]. Code is
  ///          std::int8_t or std::int16_t
  /// k_begin, k_end  must be 0, ends of segments, or K'
  /// errors   those of check(spec)
  template <class Code>
  WeightTile(const GemmSpec& spec, std::int64_t k_begin, std::int64_t k_end, std::int64_t n,
             const Code* codes, Isa isa = best_isa());

  RowForm form() const { return form_; }
  int bias() const { return row_bias(form_, spec_.act); }
  std::int64_t n() const { return n_; }
  /// Elements of an activation row.
  std::int64_t row_elements() const { return spec_.depthwise ? codes_ * n_ : codes_; }

 private:
  friend class SumTile;
  struct Interval {
    std::int64_t min = 0, max = 0;
  };
  template <class Code>
  void pack(const Code* codes);
  template <class Code>
  void bound(const Code* codes);
  template <class Code>
  Interval sum_interval(const Code* codes) const;
  const std::int8_t* block(std::int64_t b) const { return packed_.data() + b * block_bytes_; }

  GemmSpec spec_;
  const detail::KernelTable* kernels_;
  RowForm form_;
  std::int64_t n_, codes_;           // channels; codes per channel
  std::int64_t lane_begin_;          // channel within its position of the first code
  std::vector<std::int64_t> ends_;   // of segments, in K' elements from k_begin
  std::int64_t block_bytes_ = 0;     // 16 channels
  std::vector<std::int8_t> packed_;  // [block][step][16][4 bytes or 2 words]
  std::vector<std::int32_t> start_;  // what the rows' bias adds, subtracted
  std::vector<Interval> interval_;   // of every partial sum, per channel
};

/// Accumulator memory of a tile: int32 sums [row][channel], and what is needed to count overflows.
class SumTile {
 public:
  /// Starts all sums at 0.
  void reset(std::int64_t rows, std::int64_t n);

  /// Adds the products of a tile (rows.count rows, weights.n() channels, as in reset).
  void accumulate(const WeightTile& weights, const ActRows& rows);

  std::int64_t rows() const { return rows_; }
  std::int64_t n() const { return n_; }
  std::int64_t stride() const { return blocks_ * 16; }
  const std::int32_t* row(std::int64_t i) const { return sums_.data() + i * stride(); }

  /// Additions and shifts so far whose exact result left acc_bits.
  std::uint64_t intermediate_overflows() const { return intermediate_; }
  /// Elements whose exact sum leaves acc_bits.
  std::uint64_t final_overflows() const;

 private:
  bool still_exact(const WeightTile& weights, std::int64_t block);
  void add_unordered(const WeightTile& weights, const ActRows& rows, std::int64_t block,
                     std::int64_t blocks, std::int32_t* sums, std::int64_t sums_stride,
                     bool accumulate) const;
  void add_exact(const WeightTile& weights, const ActRows& rows, std::int64_t block);
  void add_ordered(const WeightTile& weights, const ActRows& rows);
  void load_digits(const WeightTile& weights, const ActRows& rows, std::int64_t first, int digits,
                   detail::OrderedArgs& args);

  std::int64_t rows_ = 0, n_ = 0, blocks_ = 0;
  bool empty_ = true;
  int acc_bits_ = 32;
  std::uint64_t intermediate_ = 0;
  std::vector<std::int32_t> sums_;
  std::vector<WeightTile::Interval> interval_;
  std::vector<std::uint8_t> checked_;  // by block: an addition may overflow
  std::vector<std::int64_t> exact_;    // of checked blocks
  std::vector<std::int32_t> acts_;     // workspace: activation digits [row][digit][element]
  std::vector<std::int32_t> partial_;  // workspace: sums of one block
};

}  // namespace bitpulse
