// SPDX-License-Identifier: Apache-2.0
#include "quant/integer/im2col.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace bitpulse {

namespace {

template <class T, class Row>
void copy_codes(const T* from, std::int64_t count, int bias, Row* to) {
  if constexpr (std::is_same_v<T, Row>) {
    if (bias == 0) {
      std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
      return;
    }
  }
  for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<Row>(from[i] + bias);
}

/// One row, all codes: where neighbouring columns of the window are neighbours in memory, a kernel
/// row is one run.
template <class T, class Row>
void gather_whole_row(const CodeBox<T>& box, const Window& w, const Shape& in, std::int64_t image,
                      std::int64_t y0, std::int64_t x0, const RowRange& range, int bias, Row* to) {
  const auto zero = static_cast<Row>(bias);
  const bool runs =
      w.dilation_w == 1 && box.channels == range.cin && box.channel_begin == range.channel;
  for (std::int64_t ky = 0; ky < w.kernel_h; ++ky) {
    const std::int64_t y = y0 + ky * w.dilation_h;
    const bool inside = y >= 0 && y < in.h;
    if (inside && runs) {
      const std::int64_t first = std::clamp<std::int64_t>(-x0, 0, w.kernel_w);
      const std::int64_t last = std::clamp<std::int64_t>(in.w - x0, first, w.kernel_w);
      std::fill_n(to, first * range.cin, zero);
      if (last > first)
        copy_codes(box.at(image * in.h + y, x0 + first, range.channel), (last - first) * range.cin,
                   bias, to + first * range.cin);
      std::fill_n(to + last * range.cin, (w.kernel_w - last) * range.cin, zero);
      to += w.kernel_w * range.cin;
      continue;
    }
    for (std::int64_t kx = 0; kx < w.kernel_w; ++kx, to += range.cin) {
      const std::int64_t x = x0 + kx * w.dilation_w;
      if (inside && x >= 0 && x < in.w)
        copy_codes(box.at(image * in.h + y, x, range.channel), range.cin, bias, to);
      else
        std::fill_n(to, range.cin, zero);
    }
  }
}

/// One row, codes begin..end-1.
template <class T, class Row>
void gather_part_row(const CodeBox<T>& box, const Window& w, const Shape& in, std::int64_t image,
                     std::int64_t y0, std::int64_t x0, const RowRange& range, int bias, Row* to) {
  for (std::int64_t k = range.begin; k < range.end;) {
    const std::int64_t position = k / range.cin, channel = k % range.cin;
    const std::int64_t count = std::min(range.cin - channel, range.end - k);
    const std::int64_t y = y0 + position / w.kernel_w * w.dilation_h;
    const std::int64_t x = x0 + position % w.kernel_w * w.dilation_w;
    if (y >= 0 && y < in.h && x >= 0 && x < in.w)
      copy_codes(box.at(image * in.h + y, x, range.channel + channel), count, bias, to);
    else
      std::fill_n(to, count, static_cast<Row>(bias));
    to += count, k += count;
  }
}

}  // namespace

template <class T, class Row>
void gather_rows(const CodeBox<T>& box, const Window& window, const Shape& in, const Shape& out,
                 const RowRange& range, int bias, Row* rows, std::int64_t stride) {
  const bool whole = range.begin == 0 && range.end == window.kernel_h * window.kernel_w * range.cin;
  for (std::int64_t m = range.m_begin; m < range.m_end; ++m, rows += stride) {
    const std::int64_t image = m / out.pixels(), pixel = m % out.pixels();
    const std::int64_t y0 = pixel / out.w * window.stride_h - window.pad_top;
    const std::int64_t x0 = pixel % out.w * window.stride_w - window.pad_left;
    if (whole)
      gather_whole_row(box, window, in, image, y0, x0, range, bias, rows);
    else
      gather_part_row(box, window, in, image, y0, x0, range, bias, rows);
  }
}

#define BITPULSE_GATHER(T)                                                                \
  template void gather_rows(const CodeBox<T>&, const Window&, const Shape&, const Shape&, \
                            const RowRange&, int, std::uint8_t*, std::int64_t);           \
  template void gather_rows(const CodeBox<T>&, const Window&, const Shape&, const Shape&, \
                            const RowRange&, int, std::int16_t*, std::int64_t);
BITPULSE_GATHER(std::uint8_t)
BITPULSE_GATHER(std::int8_t)
BITPULSE_GATHER(std::uint16_t)
BITPULSE_GATHER(std::int16_t)
#undef BITPULSE_GATHER

}  // namespace bitpulse
