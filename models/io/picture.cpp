// SPDX-License-Identifier: Apache-2.0
// jpeglib.h takes FILE and size_t from whoever includes it.
// clang-format off
#include <cstdio>
#include <jpeglib.h>
// clang-format on
#include <png.h>

#include <array>
#include <csetjmp>
#include <memory>
#include <vector>

#include "models/io/files.h"
#include "models/io/image_formats.h"
#include "models/text.h"

namespace bitpulse {
namespace {

constexpr std::uint64_t kMaxFileBytes = 64ull << 20;
constexpr int kMaxScans = 500;  // of a progressive JPEG, as libjpeg-turbo advises

std::string size_text(std::int64_t c, std::int64_t h, std::int64_t w) {
  return std::to_string(c) + " x " + std::to_string(h) + " x " + std::to_string(w);
}

/// Interleaved rows (one or three bytes per pixel) to planes; grey fills all planes.
void to_planes(const std::vector<std::uint8_t>& rows, std::int64_t row_channels, const Shape& shape,
               std::uint8_t* planes) {
  for (std::int64_t c = 0; c < shape.c; ++c) {
    const std::int64_t from = row_channels == 1 ? 0 : c;
    for (std::int64_t i = 0; i < shape.pixels(); ++i) {
      *planes++ = rows[static_cast<std::size_t>(i * row_channels + from)];
    }
  }
}

void check_size(const std::string& path, std::int64_t channels, std::int64_t h, std::int64_t w,
                const Shape& shape) {
  if (h != shape.h || w != shape.w || channels > shape.c) {
    fail_image(path, "found an image of " + size_text(channels, h, w) + ", expected " +
                         size_text(shape.c, shape.h, shape.w));
  }
}

/// libjpeg reports errors by a callback that must not return.
struct JpegErrors {
  jpeg_error_mgr base;
  std::jmp_buf jump;
  std::array<char, JMSG_LENGTH_MAX> message;
};

void jpeg_fail(j_common_ptr jpeg) {
  auto* errors = reinterpret_cast<JpegErrors*>(jpeg->err);
  jpeg->err->format_message(jpeg, errors->message.data());
  std::longjmp(errors->jump, 1);
}

/// Corrupt data are a warning to libjpeg, which goes on with grey; not so here.
void jpeg_warn(j_common_ptr jpeg, int level) {
  if (level < 0) jpeg_fail(jpeg);
}

void jpeg_count_scans(j_common_ptr jpeg) {
  if (jpeg->is_decompressor &&
      reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number > kMaxScans) {
    auto* errors = reinterpret_cast<JpegErrors*>(jpeg->err);
    std::snprintf(errors->message.data(), errors->message.size(),
                  "more than %d scans, which no encoder writes", kMaxScans);
    std::longjmp(errors->jump, 1);
  }
}

/// A JPEG decoder over bytes in memory. Its two steps return false where libjpeg has failed, with
/// the reason in error(); nothing with a destructor lives across their jumps.
class JpegDecoder {
 public:
  JpegDecoder() {
    jpeg_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = jpeg_fail;
    errors_.base.emit_message = jpeg_warn;
    progress_.progress_monitor = jpeg_count_scans;
  }
  ~JpegDecoder() { jpeg_destroy_decompress(&jpeg_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  bool read_header(const unsigned char* bytes, unsigned long size) {
    if (setjmp(errors_.jump)) return false;
    jpeg_create_decompress(&jpeg_);
    jpeg_.progress = &progress_;
    jpeg_mem_src(&jpeg_, bytes, size);
    jpeg_read_header(&jpeg_, TRUE);
    return true;
  }
  int channels() const { return jpeg_.num_components == 1 ? 1 : 3; }
  JDIMENSION height() const { return jpeg_.image_height; }
  JDIMENSION width() const { return jpeg_.image_width; }

  bool decode(unsigned char* rows) {
    if (setjmp(errors_.jump)) return false;
    jpeg_.out_color_space = channels() == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&jpeg_);
    while (jpeg_.output_scanline < jpeg_.output_height) {
      JSAMPROW row = rows + std::size_t{jpeg_.output_scanline} * jpeg_.output_width *
                                static_cast<std::size_t>(channels());
      jpeg_read_scanlines(&jpeg_, &row, 1);
    }
    jpeg_finish_decompress(&jpeg_);
    return true;
  }
  std::string error() const { return printable(errors_.message.data(), 200); }

 private:
  jpeg_decompress_struct jpeg_{};
  jpeg_progress_mgr progress_{};
  JpegErrors errors_{};
};

void decode_jpeg(const std::string& path, const std::string& bytes, const Shape& shape,
                 std::uint8_t* pixels) {
  JpegDecoder decoder;
  if (!decoder.read_header(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size())) {
    fail_image(path, "found no sound JPEG: " + decoder.error());
  }
  check_size(path, decoder.channels(), decoder.height(), decoder.width(), shape);
  std::vector<std::uint8_t> rows(static_cast<std::size_t>(decoder.channels() * shape.pixels()));
  if (!decoder.decode(rows.data())) fail_image(path, "found no sound JPEG: " + decoder.error());
  to_planes(rows, decoder.channels(), shape, pixels);
}

void decode_png(const std::string& path, const std::string& bytes, const Shape& shape,
                std::uint8_t* pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, void (*)(png_image*)> cleanup(&image, png_image_free);
  if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size())) {
    fail_image(path, "found no sound PNG: " + printable(image.message, 200));
  }
  if (image.format & (PNG_FORMAT_FLAG_ALPHA | PNG_FORMAT_FLAG_LINEAR)) {
    fail_image(path, "found transparency or 16 bits per channel, expected 8-bit grey or RGB");
  }
  const std::int64_t channels = image.format & PNG_FORMAT_FLAG_COLOR ? 3 : 1;
  check_size(path, channels, image.height, image.width, shape);
  image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  std::vector<std::uint8_t> rows(static_cast<std::size_t>(channels * shape.pixels()));
  if (!png_image_finish_read(&image, nullptr, rows.data(), 0, nullptr) || PNG_IMAGE_FAILED(image)) {
    fail_image(path, "found no sound PNG: " + printable(image.message, 200));
  }
  to_planes(rows, channels, shape, pixels);
}

}  // namespace

void decode_picture(const std::string& path, const Shape& shape, std::uint8_t* pixels) {
  if (shape.c != 1 && shape.c != 3) {
    fail_image(path, "found a picture, expected " + std::to_string(shape.c) + " channels");
  }
  const std::string bytes = read_file(path, kMaxFileBytes);
  if (bytes.compare(0, 3, "\xff\xd8\xff") == 0) {
    decode_jpeg(path, bytes, shape, pixels);
  } else if (bytes.compare(0, 8, "\x89PNG\r\n\x1a\n") == 0) {
    decode_png(path, bytes, shape, pixels);
  } else {
    fail_image(path, "found neither JPEG nor PNG");
  }
}

}  // namespace bitpulse
