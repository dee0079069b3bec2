// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/patterns.h"

#include <algorithm>

#include "models/units.h"

namespace bitpulse {

namespace {

/// Bytes that the last pattern adds to its command, whose first pattern is `first`. Where it goes
/// on in the middle of a byte that the run before touched, that byte has been counted.
std::uint64_t added_bytes(const std::vector<DmaPattern>& patterns, std::size_t first) {
  const DmaPattern& pattern = patterns.back();
  std::uint64_t shared = 0;
  if (patterns.size() > first + 1 && pattern.dram_bit % 8 != 0) {
    const DmaPattern& last = patterns[patterns.size() - 2];
    const std::uint64_t end = last.dram_bit + (last.rows - 1) * last.dram_row_stride +
                              (last.runs - 1) * last.dram_run_stride + last.run_bits;
    if (pattern.dram_bit == end) shared = 1;
  }
  return touched_bytes(pattern) - shared;
}

/// A rectangle of output pixels: rows first_row .. + rows, columns cols; `m` is its first pixel.
struct PixelBlock {
  std::int64_t first_row = 0, rows = 1;
  Range cols;
  std::int64_t m = 0;
};

/// Cuts a range of flattened pixels into rectangles: a partial row, whole rows, a partial row.
/// `height`: whole rows are also cut at multiples of it (image borders); 0: not cut.
template <class Visit>
void for_blocks(Range m, std::int64_t width, std::int64_t height, Visit&& visit) {
  std::int64_t at = m.begin;
  while (at < m.end) {
    const std::int64_t row = at / width, x = at % width;
    if (x != 0 || m.end - at < width) {
      const std::int64_t count = std::min(width - x, m.end - at);
      visit(PixelBlock{row, 1, {x, x + count}, at});
      at += count;
      continue;
    }
    std::int64_t rows = (m.end - at) / width;
    if (height != 0) rows = std::min(rows, height - row % height);
    visit(PixelBlock{row, rows, {0, width}, at});
    at += rows * width;
  }
}

/// Space to depth: the pixels of a block with one (dy, dx) go to one slice of the target's pixels.
std::uint64_t store_reorg(const LayerShape& shape, const StoreShape& store,
                          std::uint64_t tensor_bit, Range m, const OutputTile& tile,
                          std::vector<DmaPattern>& patterns) {
  const std::int64_t r = store.reorg, bits = store.tensor.bits;
  const std::int64_t buffer_pixel = byte_aligned(tile.channels.size() * bits);
  const std::size_t first = patterns.size();
  std::uint64_t bytes = 0;
  for_blocks(m, shape.out_w, 0, [&](const PixelBlock& block) {
    for (std::int64_t y = block.first_row;
         y < std::min(block.first_row + r, block.first_row + block.rows); ++y) {
      for (std::int64_t x = block.cols.begin; x < std::min(block.cols.begin + r, block.cols.end);
           ++x) {
        const std::int64_t slice = (y % r * r + x % r) * shape.out_channels();
        const std::int64_t target = (y / r) * store.tensor.w + x / r;
        const std::int64_t source =
            (y - block.first_row) * shape.out_w + (x - block.cols.begin) + (block.m - m.begin);
        DmaPattern& p = patterns.emplace_back();
        p.dram_bit = tensor_bit + u64(target * store.tensor.pixel_bits +
                                      (store.channel_offset + slice + tile.channels.begin) * bits);
        p.run_bits = u64(tile.channels.size() * bits);
        p.runs = u64((block.cols.end - x + r - 1) / r);
        p.dram_run_stride = u64(store.tensor.pixel_bits);
        p.buffer_run_stride = u64(r * buffer_pixel);
        p.rows = u64((block.first_row + block.rows - y + r - 1) / r);
        p.dram_row_stride = u64(store.tensor.w * store.tensor.pixel_bits);
        p.buffer_row_stride = u64(r * shape.out_w * buffer_pixel);
        p.buffer_bit = tile.buffer_bit + u64(source * buffer_pixel);
        bytes += added_bytes(patterns, first);
      }
    }
  });
  return bytes;
}

}  // namespace

std::uint64_t load_region(const TensorShape& tensor, std::uint64_t tensor_bit, const Region& region,
                          std::vector<DmaPattern>& patterns) {
  const bool whole_pixels = region.channels.size() == tensor.c;
  const bool whole_rows = region.cols.size() == tensor.w;
  const std::int64_t first_pixel = region.rows.begin * tensor.w + region.cols.begin;
  DmaPattern& p = patterns.emplace_back();
  p.dram_bit =
      tensor_bit + u64(first_pixel * tensor.pixel_bits + region.channels.begin * tensor.bits);
  p.buffer_bit = region.buffer_bit;
  if (whole_pixels && whole_rows) {
    p.run_bits = u64(region.rows.size() * tensor.w * tensor.pixel_bits);
    return touched_bytes(p);
  }
  const std::int64_t buffer_pixel = byte_aligned(region.channels.size() * tensor.bits);
  if (whole_pixels) {
    p.run_bits = u64(region.cols.size() * tensor.pixel_bits);
  } else {
    p.run_bits = u64(region.channels.size() * tensor.bits);
    p.runs = u64(region.cols.size() * (whole_rows ? region.rows.size() : 1));
    p.dram_run_stride = u64(tensor.pixel_bits);
    p.buffer_run_stride = u64(buffer_pixel);
  }
  if (!whole_rows) {
    p.rows = u64(region.rows.size());
    p.dram_row_stride = u64(tensor.w * tensor.pixel_bits);
    p.buffer_row_stride = u64(region.cols.size() * buffer_pixel);
  }
  return touched_bytes(p);
}

std::uint64_t load_identity(const LayerShape& shape, std::uint64_t tensor_bit, Range m,
                            const Region& identity, std::vector<DmaPattern>& patterns) {
  const TensorShape& tensor = shape.identity.tensor;
  const std::int64_t stride = shape.identity.stride;
  const std::int64_t buffer_pixel = byte_aligned(identity.channels.size() * tensor.bits);
  const bool whole_pixels = identity.channels.size() == tensor.c;
  const auto first_channel = u64(identity.channels.begin * tensor.bits);
  const auto run_bits =
      whole_pixels ? u64(tensor.pixel_bits) : u64(identity.channels.size() * tensor.bits);
  if (stride == 1) {
    DmaPattern& p = patterns.emplace_back();
    p.dram_bit = tensor_bit + u64(m.begin * tensor.pixel_bits) + first_channel;
    p.buffer_bit = identity.buffer_bit;
    p.run_bits = whole_pixels ? u64(m.size() * tensor.pixel_bits) : run_bits;
    if (!whole_pixels) {
      p.runs = u64(m.size());
      p.dram_run_stride = u64(tensor.pixel_bits);
      p.buffer_run_stride = u64(buffer_pixel);
    }
    return touched_bytes(p);
  }
  const std::size_t first = patterns.size();
  std::uint64_t bytes = 0;
  for_blocks(m, shape.out_w, shape.out_h, [&](const PixelBlock& block) {
    const std::int64_t image = block.first_row / shape.out_h, y = block.first_row % shape.out_h;
    const std::int64_t pixel =
        (image * tensor.h + y * stride) * tensor.w + block.cols.begin * stride;
    DmaPattern& p = patterns.emplace_back();
    p.dram_bit = tensor_bit + u64(pixel * tensor.pixel_bits) + first_channel;
    p.run_bits = run_bits;
    p.runs = u64(block.cols.size());
    p.dram_run_stride = u64(stride * tensor.pixel_bits);
    p.buffer_run_stride = u64(buffer_pixel);
    p.rows = u64(block.rows);
    p.dram_row_stride = u64(stride * tensor.w * tensor.pixel_bits);
    p.buffer_row_stride = u64(shape.out_w * buffer_pixel);
    p.buffer_bit = identity.buffer_bit + u64((block.m - m.begin) * buffer_pixel);
    bytes += added_bytes(patterns, first);
  });
  return bytes;
}

std::uint64_t store_tile(const LayerShape& shape, const StoreShape& store, std::uint64_t tensor_bit,
                         Range m, const OutputTile& tile, std::vector<DmaPattern>& patterns) {
  if (store.reorg > 1) return store_reorg(shape, store, tensor_bit, m, tile, patterns);
  const TensorShape& tensor = store.tensor;
  DmaPattern& p = patterns.emplace_back();
  p.dram_bit = tensor_bit + u64(m.begin * tensor.pixel_bits +
                                (store.channel_offset + tile.channels.begin) * tensor.bits);
  p.buffer_bit = tile.buffer_bit;
  if (tile.channels.size() == tensor.c) {
    p.run_bits = u64(m.size() * tensor.pixel_bits);
  } else {
    p.run_bits = u64(tile.channels.size() * tensor.bits);
    p.runs = u64(m.size());
    p.dram_run_stride = u64(tensor.pixel_bits);
    p.buffer_run_stride = u64(byte_aligned(tile.channels.size() * tensor.bits));
  }
  return touched_bytes(p);
}

Range identity_channels(const IdentityShape& identity, Range channels) {
  const std::int64_t begin =
      std::clamp<std::int64_t>(channels.begin - identity.channels_before, 0, identity.tensor.c);
  const std::int64_t end =
      std::clamp(channels.end - identity.channels_before, begin, identity.tensor.c);
  return {begin, end};
}

}  // namespace bitpulse
