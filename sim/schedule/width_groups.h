// SPDX-License-Identifier: Apache-2.0
#pragma once

// Kernel-wise widths: output channels of equal weight width form a GEMM of their own (section 2),
// with its own lanes, K' and order of additions.

#include <cstdint>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/layer_shape.h"

namespace bitpulse {

/// Width groups in ascending order of weight bits. Convolution groups that have another number of
/// channels of a width than the rest stand in a width group of their own.
///
/// weight_bits  one per output channel, 1..16
/// returns      orders without segments (they depend on the K tiles of an os schedule)
std::vector<WidthGroup> width_groups(const LayerShape& shape,
                                     const std::vector<std::uint8_t>& weight_bits,
                                     const ArraySpec& array);

/// Ends of the K' segments: ws, is: the row folds (K tiles are cut at multiples of the rows); os:
/// the K tiles.
std::vector<std::int64_t> k_segments(const ArraySpec& array, std::int64_t k_packed,
                                     std::int64_t k_tile);

}  // namespace bitpulse
