// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small JPEG and PNG files for tests, made with the libraries themselves.

#include <cstdint>
#include <string>
#include <vector>

namespace bitpulse {

/// Rows of 1 (grey), 3 (RGB) or 4 (RGBA) bytes per pixel.
std::string png_bytes(int channels, int h, int w, const std::vector<std::uint8_t>& rows);
/// Grey of 16 bits per pixel.
std::string png16_bytes(int h, int w);
/// Quality 100, no chroma subsampling; 1 or 3 bytes per pixel.
std::string jpeg_bytes(int channels, int h, int w, const std::vector<std::uint8_t>& rows);

}  // namespace bitpulse
