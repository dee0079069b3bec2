// SPDX-License-Identifier: Apache-2.0
// jpeglib.h takes FILE and size_t from whoever includes it.
// clang-format off
#include <cstdio>
#include <jpeglib.h>
// clang-format on
#include "testbench/models/io/pictures.h"

#include <png.h>

#include <cstdlib>

namespace bitpulse {
namespace {

std::string write_png(png_uint_32 format, int h, int w, const void* rows) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(w);
  image.height = static_cast<png_uint_32>(h);
  image.format = format;
  png_alloc_size_t size = 0;
  png_image_write_to_memory(&image, nullptr, &size, 0, rows, 0, nullptr);
  std::string bytes(size, '\0');
  png_image_write_to_memory(&image, bytes.data(), &size, 0, rows, 0, nullptr);
  return bytes;
}

}  // namespace

std::string png_bytes(int channels, int h, int w, const std::vector<std::uint8_t>& rows) {
  const png_uint_32 format = channels == 1   ? PNG_FORMAT_GRAY
                             : channels == 3 ? PNG_FORMAT_RGB
                                             : PNG_FORMAT_RGBA;
  return write_png(format, h, w, rows.data());
}

std::string png16_bytes(int h, int w) {
  const std::vector<std::uint16_t> rows(static_cast<std::size_t>(h * w), 1234);
  return write_png(PNG_FORMAT_LINEAR_Y, h, w, rows.data());
}

std::string jpeg_bytes(int channels, int h, int w, const std::vector<std::uint8_t>& rows) {
  jpeg_error_mgr errors;
  jpeg_compress_struct jpeg{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &buffer, &size);
  jpeg.image_width = static_cast<JDIMENSION>(w);
  jpeg.image_height = static_cast<JDIMENSION>(h);
  jpeg.input_components = channels;
  jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 100, TRUE);
  jpeg.comp_info[0].h_samp_factor = 1;
  jpeg.comp_info[0].v_samp_factor = 1;
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    auto* row = const_cast<JSAMPROW>(
        &rows[std::size_t{jpeg.next_scanline} * static_cast<std::size_t>(w * channels)]);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::string bytes(reinterpret_cast<char*>(buffer), size);
  std::free(buffer);
  return bytes;
}

}  // namespace bitpulse
