// SPDX-License-Identifier: Apache-2.0
#pragma once

// The epilogue of a layer: bias, requantization, residual add, clamps, for some of its output
// channels. The reference executor and the SystemC vector unit call it on tiles; its formulas are
// those of Residual, Store and Requantizer.

#include <cstdint>
#include <vector>

#include "quant/integer/accumulation.h"
#include "quant/integer/integer_network.h"
#include "quant/integer/isa.h"

namespace bitpulse {

/// Rows are padded to multiples of 16 columns, in and out (readable, writable, values without
/// meaning).
constexpr std::int64_t padded_columns(std::int64_t n) { return (n + 15) / 16 * 16; }

/// Rows (output pixels) of a tile; strides in elements, at least padded_columns().
struct EpilogueTile {
  std::int64_t rows = 0;
  const std::int32_t* values = nullptr;  // GEMM: sums; else codes or exact window sums
  std::int64_t value_stride = 0;
  const std::int32_t* identity = nullptr;  // codes of the residual's identity for these columns
  std::int64_t identity_stride = 0;
  std::vector<std::int32_t*> outputs;  // one per store
  std::int64_t output_stride = 0;
};

class Epilogue {
 public:
  /// Column j of a tile is output channel channels[j] of the layer.
  Epilogue(const IntegerLayer& layer, Rounding rounding, std::vector<std::int64_t> channels,
           Isa isa = best_isa());

  std::int64_t columns() const { return columns_; }

  /// Writes the codes of every store; returns the saturations counted.
  std::uint64_t run(const EpilogueTile& tile) const;

 private:
  /// A Requantizer's parameters, column by column.
  struct Stage {
    std::vector<std::int64_t> m, shift, half, negative, other_m;
    CodeRange clamp;
    bool copies = false;
  };
  Stage stage(const Requantizer& requantizer, CodeRange clamp,
              const std::vector<std::int64_t>& channels) const;
  std::uint64_t apply(const Stage& stage, const std::int32_t* values, std::int64_t value_stride,
                      std::int64_t rows, const std::int32_t* other, std::int64_t other_stride,
                      std::int32_t* out, std::int64_t out_stride) const;
  std::uint64_t add_bias(const EpilogueTile& tile, std::int32_t* out) const;
  std::uint64_t add_streams(const EpilogueTile& tile, const std::int32_t* values,
                            std::int64_t value_stride, std::int32_t* sums) const;

  Isa isa_;
  Rounding rounding_;
  std::int64_t columns_;
  std::vector<std::int32_t> bias_;  // empty: none
  bool has_residual_ = false;
  Residual::Kind kind_ = Residual::Kind::kStream16;
  Stage main_, identity_;
  std::vector<Stage> stores_;
};

}  // namespace bitpulse
