// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/regions.h"

#include <algorithm>

#include "models/units.h"

namespace bitpulse {

KernelSpan whole_kernel(const LayerShape& shape, Range channels) {
  return {{0, shape.window.kernel_h}, {0, shape.window.kernel_w}, channels};
}

KernelSpan kernel_span(const LayerShape& shape, std::int64_t lanes, Range k, std::int64_t group) {
  const std::int64_t per_position = ceil_div(shape.cin, lanes);
  const std::int64_t first = k.begin / per_position, last = (k.end - 1) / per_position;
  const std::int64_t kw = shape.window.kernel_w;
  KernelSpan span;
  span.rows = {first / kw, last / kw + 1};
  span.cols = span.rows.size() == 1 ? Range{first % kw, last % kw + 1} : Range{0, kw};
  span.channels = {0, shape.cin};
  if (first == last) {
    const std::int64_t base = first * per_position;
    span.channels = {(k.begin - base) * lanes, std::min((k.end - base) * lanes, shape.cin)};
  }
  span.channels.begin += group * shape.cin;
  span.channels.end += group * shape.cin;
  return span;
}

Range input_rows(const LayerShape& shape, Range out_rows, Range kernel_rows) {
  const Window& w = shape.window;
  // The input row behind a kernel row of an output row, clipped to its image; `next`: the one
  // after.
  const auto in_row = [&](std::int64_t out_row, std::int64_t kernel_row, std::int64_t next) {
    const std::int64_t image = shape.batch == 1 ? 0 : out_row / shape.out_h;  // spares a division
    const std::int64_t y = out_row - image * shape.out_h;
    const std::int64_t in_y = y * w.stride_h - w.pad_top + kernel_row * w.dilation_h + next;
    return image * shape.in.h + std::clamp<std::int64_t>(in_y, 0, shape.in.h);
  };
  const std::int64_t begin = in_row(out_rows.begin, kernel_rows.begin, 0);
  return {begin, std::max(begin, in_row(out_rows.end - 1, kernel_rows.end - 1, 1))};
}

Range input_cols(const LayerShape& shape, Range out_cols, Range kernel_cols) {
  if (out_cols.size() == shape.out_w) return {0, shape.in.w};
  const Window& w = shape.window;
  const std::int64_t left =
      out_cols.begin * w.stride_w - w.pad_left + kernel_cols.begin * w.dilation_w;
  const std::int64_t right =
      (out_cols.end - 1) * w.stride_w - w.pad_left + (kernel_cols.end - 1) * w.dilation_w + 1;
  const std::int64_t begin = std::clamp<std::int64_t>(left, 0, shape.in.w);
  return {begin, std::clamp(right, begin, shape.in.w)};
}

Region input_region(const LayerShape& shape, Range m, const KernelSpan& kernel) {
  Region region;
  region.channels = kernel.channels;
  const std::int64_t first_row = m.begin / shape.out_w, last_row = (m.end - 1) / shape.out_w;
  region.rows = input_rows(shape, {first_row, last_row + 1}, kernel.rows);
  Range out_cols{0, shape.out_w};
  if (first_row == last_row) {
    const std::int64_t before = first_row * shape.out_w;
    out_cols = {m.begin - before, m.end - before};
  }
  region.cols = input_cols(shape, out_cols, kernel.cols);
  if (region.rows.size() == 0 || region.cols.size() == 0) {  // nothing but padding
    region.rows = region.cols = {0, 0};
  }
  return region;
}

std::int64_t region_bits(const Region& region, std::int64_t code_bits) {
  return region.rows.size() * region.cols.size() * byte_aligned(region.channels.size() * code_bits);
}

std::int64_t codes_before(const LayerShape& shape, std::int64_t lanes, std::int64_t k) {
  const std::int64_t per_position = ceil_div(shape.cin, lanes);
  return k / per_position * shape.cin + std::min(k % per_position * lanes, shape.cin);
}

}  // namespace bitpulse
