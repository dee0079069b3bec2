// SPDX-License-Identifier: Apache-2.0
#pragma once

// Implicit im2col of one tile: from a Region of packed activations to one row of K codes per
// output pixel, padding included.

#include <cstdint>
#include <vector>

#include "models/layer.h"
#include "models/precision.h"
#include "sim/program.h"

namespace bitpulse {

/// Bits of a region's pixel, padded to whole bytes.
constexpr std::int64_t pixel_bits(std::int64_t channels, int code_bits) {
  return (channels * code_bits + 7) / 8 * 8;
}

/// Unpacks a region to [row][column][channel], adds `bias` to each code.
template <class T>
void unpack_region(const std::uint8_t* buffer, const Region& region, Precision precision, int bias,
                   T* codes);

/// Where a window's codes stand in an unpacked region.
struct WindowSource {
  const Window* window = nullptr;
  Shape in, out;
  Region region;
  std::int64_t channel = 0;  // first channel of the window within the region
  std::int64_t cin = 1;      // channels of the window
};

/// Codes `codes` (of positions times cin, position-major) of the windows of output pixels `m`, one
/// row of codes.size() elements per pixel.
template <class T>
void lay_rows(const WindowSource& source, const T* region_codes, Range m, Range codes, T padding,
              T* rows);

}  // namespace bitpulse
