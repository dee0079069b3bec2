// SPDX-License-Identifier: Apache-2.0
#pragma once

// The implicit GEMM of a convolution made explicit for one tile: rows of activation codes, one per
// output pixel, as SumTile reads them (kernels.h).

#include <cstdint>

#include "models/layer.h"
#include "models/tensor.h"
#include "quant/integer/kernels.h"

namespace bitpulse {

/// Part of a feature map, [row][column][channel]; rows count b * H + y over the batch. T is
/// std::uint8_t, std::int8_t, std::uint16_t or std::int16_t.
template <class T>
struct CodeBox {
  const T* data = nullptr;
  std::int64_t row_begin = 0, col_begin = 0, channel_begin = 0;
  std::int64_t cols = 0, channels = 0;  // held, from the begins on

  const T* at(std::int64_t row, std::int64_t col, std::int64_t channel) const {
    return data + ((row - row_begin) * cols + (col - col_begin)) * channels +
           (channel - channel_begin);
  }
};

/// Which codes the rows of a tile hold.
struct RowRange {
  std::int64_t m_begin = 0, m_end = 0;  // output pixels, batch-major
  std::int64_t channel = 0;             // first input channel of the convolution group (or run)
  std::int64_t cin = 1;                 // input channels of a group; depthwise: of the run
  std::int64_t begin = 0, end = 0;      // codes of positions * cin, position-major
};

/// Writes the rows of `range` to `rows`, `stride` elements apart. T and the row type may be any
/// pair; every source pixel that a window touches inside the image must be in the box.
template <class T, class Row>
void gather_rows(const CodeBox<T>& box, const Window& window, const Shape& in, const Shape& out,
                 const RowRange& range, int bias, Row* rows, std::int64_t stride);

}  // namespace bitpulse
