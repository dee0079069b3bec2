// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which part of the input a tile reads: the hull of its windows, halo included, clipped to the
// image. Tiles inside one output row read some columns, all others whole rows.

#include <cstdint>

#include "sim/program.h"
#include "sim/schedule/layer_shape.h"

namespace bitpulse {

/// Kernel positions and input channels behind a range of K'.
struct KernelSpan {
  Range rows, cols;  // of the kernel
  Range channels;    // of the input
};

/// The whole kernel, and the input channels of all output `channels` (pooling) or groups.
KernelSpan whole_kernel(const LayerShape& shape, Range channels);

/// The span of K' elements `k` of one convolution group; a superset where the range covers parts
/// of several positions.
KernelSpan kernel_span(const LayerShape& shape, std::int64_t lanes, Range k, std::int64_t group);

/// The input rows that kernel rows read for output rows (of all images), clipped to the image.
Range input_rows(const LayerShape& shape, Range out_rows, Range kernel_rows);

/// The input columns that kernel columns read for output columns, clipped to the image; all for
/// whole rows.
Range input_cols(const LayerShape& shape, Range out_cols, Range kernel_cols);

/// The region of output pixels `m`; its buffer_bit is 0.
Region input_region(const LayerShape& shape, Range m, const KernelSpan& kernel);

/// Bits a region occupies in a buffer.
std::int64_t region_bits(const Region& region, std::int64_t code_bits);

/// Input channels (times kernel positions) behind K' elements 0 .. k-1: codes, not padded lanes.
std::int64_t codes_before(const LayerShape& shape, std::int64_t lanes, std::int64_t k);

}  // namespace bitpulse
