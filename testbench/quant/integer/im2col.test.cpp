// SPDX-License-Identifier: Apache-2.0
#include "quant/integer/im2col.h"

#include <limits>
#include <random>
#include <vector>

#include "testbench/catch.h"

namespace bitpulse {
namespace {

/// Code k of the row of output pixel m, from a whole feature map; padding is 0.
template <class T>
int plain_code(const std::vector<T>& map, const Window& w, const Shape& in, const Shape& out,
               const RowRange& range, std::int64_t m, std::int64_t k) {
  const std::int64_t image = m / out.pixels(), pixel = m % out.pixels();
  const std::int64_t position = k / range.cin;
  const std::int64_t y =
      pixel / out.w * w.stride_h - w.pad_top + position / w.kernel_w * w.dilation_h;
  const std::int64_t x =
      pixel % out.w * w.stride_w - w.pad_left + position % w.kernel_w * w.dilation_w;
  if (y < 0 || y >= in.h || x < 0 || x >= in.w) return 0;
  return map[static_cast<std::size_t>(((image * in.h + y) * in.w + x) * in.c + range.channel +
                                      k % range.cin)];
}

template <class T, class Row>
void compare(std::mt19937& random, int bias) {
  const auto pick = [&](std::int64_t min, std::int64_t max) {
    return std::uniform_int_distribution<std::int64_t>(min, max)(random);
  };
  for (int round = 0; round < 60; ++round) {
    const Shape in{pick(1, 9), pick(4, 9), pick(4, 9)};
    Window w;
    w.kernel_h = pick(1, 4), w.kernel_w = pick(1, 4);
    w.stride_h = pick(1, 3), w.stride_w = pick(1, 3);
    w.dilation_h = pick(1, 2), w.dilation_w = pick(1, 2);
    w.pad_top = pick(0, 3), w.pad_bottom = 3, w.pad_left = pick(0, 3), w.pad_right = 3;
    Shape out;
    out.h = (in.h + w.pad_top + 3 - (w.kernel_h - 1) * w.dilation_h - 1) / w.stride_h + 1;
    out.w = (in.w + w.pad_left + 3 - (w.kernel_w - 1) * w.dilation_w - 1) / w.stride_w + 1;
    const std::int64_t batch = 2;
    std::vector<T> map;
    for (std::int64_t i = 0; i < batch * in.elements(); ++i)
      map.push_back(
          static_cast<T>(pick(std::numeric_limits<T>::min(), std::numeric_limits<T>::max())));
    RowRange range;
    range.channel = pick(0, in.c - 1);
    range.cin = pick(1, in.c - range.channel);
    const std::int64_t k = w.kernel_h * w.kernel_w * range.cin;
    range.end = k;
    if (pick(0, 1) == 0) {
      range.begin = pick(0, k - 1);
      range.end = pick(range.begin + 1, k);
    }
    range.m_begin = pick(0, batch * out.pixels() - 1);
    range.m_end = pick(range.m_begin + 1, batch * out.pixels());

    // A box that holds only the rows and channels the tile needs.
    CodeBox<T> box;
    box.row_begin = pick(0, 1) == 0 || range.m_begin < out.pixels() ? 0 : in.h;
    box.cols = in.w;
    box.channel_begin = pick(0, range.channel);
    box.channels = in.c - box.channel_begin;
    std::vector<T> held;
    for (std::int64_t pixel = box.row_begin * in.w; pixel < batch * in.pixels(); ++pixel)
      for (std::int64_t c = box.channel_begin; c < in.c; ++c)
        held.push_back(map[static_cast<std::size_t>(pixel * in.c + c)]);
    box.data = held.data();

    const std::int64_t stride = range.end - range.begin + pick(0, 3);
    std::vector<Row> rows(static_cast<std::size_t>((range.m_end - range.m_begin) * stride), 99);
    gather_rows(box, w, in, out, range, bias, rows.data(), stride);
    for (std::int64_t m = range.m_begin; m < range.m_end; ++m) {
      for (std::int64_t e = 0; e < stride; ++e) {
        CAPTURE(round, m, e);
        const Row found = rows[static_cast<std::size_t>((m - range.m_begin) * stride + e)];
        if (range.begin + e >= range.end) {
          REQUIRE(found == 99);  // between rows nothing is written
          continue;
        }
        const int code = plain_code(map, w, in, out, range, m, range.begin + e);
        REQUIRE(found == static_cast<Row>(code + bias));
      }
    }
  }
}

TEST_CASE("gathered rows equal plain indexing, whole and in parts, biased", "[quant][im2col]") {
  std::mt19937 random(1);
  compare<std::uint8_t, std::uint8_t>(random, 0);
  compare<std::int8_t, std::uint8_t>(random, 128);
  compare<std::uint8_t, std::int16_t>(random, 0);
  compare<std::int8_t, std::int16_t>(random, 0);
  compare<std::int16_t, std::int16_t>(random, 0);
  compare<std::uint16_t, std::int16_t>(random, -32768);
}

}  // namespace
}  // namespace bitpulse
