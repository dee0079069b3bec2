// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/act_rows.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "sim/systemc/bits.h"

namespace bitpulse {
namespace {

/// Neighbouring kernel positions of one kernel row whose codes are contiguous in the region.
struct Piece {
  std::int64_t kernel_row = 0, kernel_col = 0, cols = 1;
  std::int64_t channel = 0, channels = 0;  // of each position; all of them where cols > 1
};

std::vector<Piece> cut_pieces(const WindowSource& s, Range codes) {
  const bool joins = s.window->dilation_w == 1 && s.region.channels.size() == s.cin;
  std::vector<Piece> pieces;
  for (std::int64_t at = codes.begin; at < codes.end;) {
    const std::int64_t position = at / s.cin, channel = at % s.cin;
    const std::int64_t count = std::min(s.cin - channel, codes.end - at);
    Piece piece{position / s.window->kernel_w, position % s.window->kernel_w, 1, channel, count};
    if (joins && !pieces.empty() && pieces.back().kernel_row == piece.kernel_row &&
        pieces.back().channels == s.cin && count == s.cin) {
      ++pieces.back().cols;
    } else {
      pieces.push_back(piece);
    }
    at += count;
  }
  return pieces;
}

}  // namespace

template <class T>
void unpack_region(const std::uint8_t* buffer, const Region& region, Precision precision, int bias,
                   T* codes) {
  const std::int64_t channels = region.channels.size();
  const std::int64_t pixels = region.rows.size() * region.cols.size();
  const std::int64_t pixel = pixel_bits(channels, precision.bits);
  if (pixel == channels * precision.bits) {
    unpack_codes(buffer, region.buffer_bit, precision, pixels * channels, codes, bias);
    return;
  }
  for (std::int64_t p = 0; p < pixels; ++p) {
    unpack_codes(buffer, region.buffer_bit + static_cast<std::uint64_t>(p * pixel), precision,
                 channels, codes + p * channels, bias);
  }
}

template <class T>
void lay_rows(const WindowSource& s, const T* region_codes, Range m, Range codes, T padding,
              T* rows) {
  const Window& w = *s.window;
  const std::vector<Piece> pieces = cut_pieces(s, codes);
  const std::int64_t channels = s.region.channels.size();
  std::int64_t x = m.begin % s.out.w;
  std::int64_t y = m.begin / s.out.w % s.out.h;
  std::int64_t image = m.begin / (s.out.w * s.out.h);
  for (std::int64_t i = m.begin; i < m.end; ++i) {
    const std::int64_t top = y * w.stride_h - w.pad_top, left = x * w.stride_w - w.pad_left;
    for (const Piece& piece : pieces) {
      const std::int64_t count = piece.cols * piece.channels;
      const std::int64_t in_y = top + piece.kernel_row * w.dilation_h;
      const std::int64_t in_x = left + piece.kernel_col * w.dilation_w;
      const std::int64_t before = std::clamp<std::int64_t>(-in_x, 0, piece.cols);
      const std::int64_t after = std::clamp(s.in.w - in_x, before, piece.cols);
      if (in_y < 0 || in_y >= s.in.h || before == after) {
        std::fill_n(rows, count, padding);
        rows += count;
        continue;
      }
      const std::int64_t row = image * s.in.h + in_y - s.region.rows.begin;
      const std::int64_t col = in_x + before - s.region.cols.begin;
      assert(row >= 0 && row < s.region.rows.size());
      assert(col >= 0 && in_x + after <= s.region.cols.end);
      const T* from =
          region_codes + (row * s.region.cols.size() + col) * channels + s.channel + piece.channel;
      std::fill_n(rows, before * piece.channels, padding);
      rows += before * piece.channels;
      std::memcpy(rows, from,
                  static_cast<std::size_t>((after - before) * piece.channels) * sizeof(T));
      rows += (after - before) * piece.channels;
      std::fill_n(rows, (piece.cols - after) * piece.channels, padding);
      rows += (piece.cols - after) * piece.channels;
    }
    if (++x == s.out.w) {
      x = 0;
      if (++y == s.out.h) {
        y = 0;
        ++image;
      }
    }
  }
}

template void unpack_region(const std::uint8_t*, const Region&, Precision, int, std::uint8_t*);
template void unpack_region(const std::uint8_t*, const Region&, Precision, int, std::int16_t*);
template void unpack_region(const std::uint8_t*, const Region&, Precision, int, std::int32_t*);
template void lay_rows(const WindowSource&, const std::uint8_t*, Range, Range, std::uint8_t,
                       std::uint8_t*);
template void lay_rows(const WindowSource&, const std::int16_t*, Range, Range, std::int16_t,
                       std::int16_t*);

}  // namespace bitpulse
