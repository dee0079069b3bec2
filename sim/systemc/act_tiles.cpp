// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/act_tiles.h"

#include <algorithm>
#include <cassert>

#include "sim/systemc/act_rows.h"

namespace bitpulse {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

/// Input channels of the window(s) of tile group `g`, or of all groups of a depthwise tile.
std::vector<std::int64_t> window_channels(const GemmLayer& layer, Range groups) {
  const std::int64_t cin = layer.spec().cin;
  std::vector<std::int64_t> channels;
  for (std::int64_t g = groups.begin; g < groups.end; ++g) {
    const std::int64_t first = layer.group().groups[size(g)] * cin;
    for (std::int64_t c = 0; c < cin; ++c) channels.push_back(first + c);
  }
  return channels;
}

bool contiguous(const std::vector<std::int64_t>& channels) {
  return channels.back() - channels.front() + 1 == static_cast<std::int64_t>(channels.size());
}

bool same_place(const Region& a, const Region& b) {
  return a.rows == b.rows && a.cols == b.cols && a.channels == b.channels &&
         a.buffer_bit == b.buffer_bit;
}

/// Keeps the listed channels of every pixel.
template <class T>
void pick_channels(T* codes, const Region& region, const std::vector<std::int64_t>& channels) {
  const std::int64_t pixels = region.rows.size() * region.cols.size();
  T* to = codes;
  for (std::int64_t p = 0; p < pixels; ++p) {
    const T* from = codes + p * region.channels.size() - region.channels.begin;
    for (const std::int64_t c : channels) *to++ = from[c];
  }
}

/// Whether the region's pixels are, as they stand, the rows of K codes.
bool rows_stand(const GemmLayer& layer, const ArrayCommand& command, Range k) {
  const Window& w = layer.op().window;
  const Range m = command.tile.m;
  const bool one_row = m.begin / layer.layer().out.w == (m.end - 1) / layer.layer().out.w;
  return layer.spec().positions == 1 && w.stride_h == 1 && w.stride_w == 1 && w.pad_top == 0 &&
         w.pad_left == 0 && w.pad_bottom == 0 && w.pad_right == 0 &&
         (one_row || command.act.cols.size() == layer.layer().in.w) &&
         command.act.channels.size() == k.size();
}

}  // namespace

template <>
std::vector<std::uint8_t>& ActTiles::Elements::as() {
  return bytes;
}
template <>
std::vector<std::int16_t>& ActTiles::Elements::as() {
  return words;
}

void ActTiles::reset() { filled_ = false; }

const std::vector<ActRows>& ActTiles::get(const GemmLayer& layer, std::uint32_t plan,
                                          const ArrayCommand& command, const WeightTile& weights,
                                          const std::uint8_t* buffer, std::uint64_t stamp) {
  const GemmTile& tile = command.tile;
  const bool same_region = filled_ && source_.plan == plan && source_.stamp == stamp &&
                           source_.width_group == tile.width_group &&
                           source_.groups == tile.groups && source_.m == tile.m &&
                           same_place(source_.region, command.act);
  if (same_region && source_.k == tile.k) return rows_;
  source_ = {plan, tile.width_group, stamp, command.act, tile.groups, tile.m, tile.k};
  filled_ = true;
  rows_.clear();
  if (weights.form() == RowForm::kBytes) {
    lay<std::uint8_t>(layer, command, weights.bias(), buffer, same_region);
  } else {
    lay<std::int16_t>(layer, command, weights.bias(), buffer, same_region);
  }
  return rows_;
}

template <class T>
void ActTiles::lay(const GemmLayer& layer, const ArrayCommand& command, int bias,
                   const std::uint8_t* buffer, bool same_region) {
  const GemmSpec& spec = layer.spec();
  const GemmTile& tile = command.tile;
  const std::vector<std::int64_t> channels = window_channels(layer, tile.groups);
  const bool picks = spec.depthwise && !contiguous(channels);

  WindowSource source;
  source.window = &layer.op().window;
  source.in = layer.layer().in;
  source.out = layer.layer().out;
  source.region = command.act;
  source.cin = spec.cin;
  const T* codes = nullptr;
  if (sizeof(T) == 1 && spec.act.bits == 8 && bias == 0) {  // bytes that are codes
    assert(!picks);                                         // rows of depthwise layers are words
    codes = reinterpret_cast<const T*>(buffer + command.act.buffer_bit / 8);
  } else {
    std::vector<T>& region = region_.as<T>();
    if (!same_region) {
      region.resize(
          size(command.act.rows.size() * command.act.cols.size() * command.act.channels.size()) +
          kRowSlack);
      unpack_region(buffer, command.act, spec.act, bias, region.data());
      if (picks) pick_channels(region.data(), command.act, channels);
    }
    codes = region.data();
  }
  if (picks) source.region.channels = {0, static_cast<std::int64_t>(channels.size())};

  Range k{spec.first_code(tile.k.begin), spec.first_code(tile.k.end)};
  if (tile.groups.size() == 1 && rows_stand(layer, command, k)) {
    const std::int64_t first =
        tile.m.begin - command.act.rows.begin * source.in.w - command.act.cols.begin;
    rows_.push_back({codes + first * k.size(), k.size(), tile.m.size()});
    return;
  }

  const std::int64_t windows = spec.depthwise ? 1 : tile.groups.size();
  if (spec.depthwise) {  // one window over the channels of all groups, rows [position][channel]
    source.cin = static_cast<std::int64_t>(channels.size());
    k = {k.begin * source.cin, k.end * source.cin};
  }
  const std::int64_t elements = tile.m.size() * k.size();
  elements_.as<T>().resize(size(windows * elements) + kRowSlack);
  T* rows = elements_.as<T>().data();
  for (std::int64_t i = 0; i < windows; ++i, rows += elements) {
    source.channel = picks ? 0 : channels[size(i * spec.cin)] - source.region.channels.begin;
    lay_rows<T>(source, codes, tile.m, k, static_cast<T>(bias), rows);
    rows_.push_back({rows, k.size(), tile.m.size()});
  }
}

}  // namespace bitpulse
