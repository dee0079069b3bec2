// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <numeric>

#include "models/units.h"
#include "quant/integer/layer_run.h"
#include "quant/integer/parallel.h"

namespace bitpulse {

namespace {

constexpr std::int64_t kTileValues = 1 << 15;

struct Workspace {
  std::vector<std::int32_t> values, tail;
  std::uint64_t saturations = 0;
};

/// Runs a layer whose values are made by make(pixel, row): all channels of one output pixel.
template <class Make>
OverflowCounts run_by_pixel(const LayerRun& run, const Make& make) {
  const std::int64_t m = run.pixels(), columns = padded_columns(run.layer.out.c);
  std::vector<std::int64_t> channels(static_cast<std::size_t>(run.layer.out.c));
  std::iota(channels.begin(), channels.end(), 0);
  const LayerTail tail(run, channels);
  const std::int64_t rows = std::max<std::int64_t>(1, kTileValues / columns);
  std::vector<Workspace> workspaces(static_cast<std::size_t>(std::max(1, run.threads)));
  parallel_for(run.threads, ceil_div(m, rows), [&](std::int64_t item, int worker) {
    Workspace& work = workspaces[static_cast<std::size_t>(worker)];
    const std::int64_t begin = item * rows, end = std::min(m, begin + rows);
    work.values.resize(static_cast<std::size_t>(rows * columns));
    for (std::int64_t i = begin; i < end; ++i) make(i, work.values.data() + (i - begin) * columns);
    work.saturations += tail.finish(begin, end, work.values.data(), columns, work.tail);
  });
  OverflowCounts overflow;
  for (const Workspace& work : workspaces) overflow.saturations += work.saturations;
  return overflow;
}

/// floor(sum / n), n > 0.
std::int32_t floor_div(std::int32_t sum, std::int32_t n) { return sum / n - (sum % n < 0 ? 1 : 0); }

/// The maximum or the exact sum of one pixel's window; padding is neither.
template <class Code>
void pool_pixel(const LayerRun& run, const PoolOp& op, const Code* codes, std::int64_t m,
                std::int32_t* row) {
  const Shape &in = run.layer.in, &out = run.layer.out;
  const Window& w = op.window;
  const std::int64_t image = m / out.pixels(), pixel = m % out.pixels();
  const std::int64_t y0 = pixel / out.w * w.stride_h - w.pad_top;
  const std::int64_t x0 = pixel % out.w * w.stride_w - w.pad_left;
  std::fill_n(row, in.c, op.is_max ? std::numeric_limits<std::int32_t>::min() : 0);
  for (std::int64_t ky = 0; ky < w.kernel_h; ++ky) {
    const std::int64_t y = y0 + ky * w.dilation_h;
    if (y < 0 || y >= in.h) continue;
    for (std::int64_t kx = 0; kx < w.kernel_w; ++kx) {
      const std::int64_t x = x0 + kx * w.dilation_w;
      if (x < 0 || x >= in.w) continue;
      const Code* from = codes + ((image * in.h + y) * in.w + x) * in.c;
      if (op.is_max) {
        for (std::int64_t c = 0; c < in.c; ++c) row[c] = std::max<std::int32_t>(row[c], from[c]);
      } else {
        for (std::int64_t c = 0; c < in.c; ++c) row[c] += from[c];
      }
    }
  }
  if (op.floor_average) {
    const auto n = static_cast<std::int32_t>(w.kernel_h * w.kernel_w);
    for (std::int64_t c = 0; c < in.c; ++c) row[c] = floor_div(row[c], n);
  }
}

}  // namespace

OverflowCounts run_pool(const LayerRun& run, const PoolOp& op) {
  return std::visit(
      [&](const auto& codes) {
        return run_by_pixel(run, [&](std::int64_t m, std::int32_t* row) {
          pool_pixel(run, op, codes.data(), m, row);
        });
      },
      run.tensor(op.input).codes);
}

OverflowCounts run_elementwise(const LayerRun& run, const ElementwiseOp& op) {
  return std::visit(
      [&](const auto& codes) {
        const std::int64_t c = run.layer.in.c;
        return run_by_pixel(run, [&](std::int64_t m, std::int32_t* row) {
          std::copy_n(codes.data() + m * c, c, row);
        });
      },
      run.tensor(op.input).codes);
}

}  // namespace bitpulse
