// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/tile_math.h"

#include <algorithm>
#include <cassert>

#include "sim/systemc/act_rows.h"
#include "sim/systemc/bits.h"

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

/// Keeps the listed channels of every pixel.
template <class T>
void pick_channels(T* codes, Region& region, const std::vector<std::int64_t>& channels) {
  const std::int64_t pixels = region.rows.size() * region.cols.size();
  T* to = codes;
  for (std::int64_t p = 0; p < pixels; ++p) {
    const T* from = codes + p * region.channels.size() - region.channels.begin;
    for (const std::int64_t c : channels) *to++ = from[c];
  }
  region.channels = {0, static_cast<std::int64_t>(channels.size())};
}

/// Whether the bytes of a region are, as they stand, one row of codes per output pixel.
bool rows_in_place(const GemmLayer& layer, const Region& region, Range codes, bool one_row) {
  const Window& w = layer.op().window;
  return layer.spec().positions == 1 && w.stride_h == 1 && w.stride_w == 1 && w.pad_top == 0 &&
         w.pad_left == 0 && w.pad_bottom == 0 && w.pad_right == 0 &&
         (one_row || region.cols.size() == layer.layer().in.w) &&
         region.channels.size() == codes.size();
}

/// Weights of a tile's convolution groups, or of all of them at once if depthwise.
template <class Code>
void pack_weights(const GemmLayer& layer, const GemmTile& tile, const Code* codes,
                  std::vector<WeightTile>& tiles) {
  const auto count = static_cast<std::int64_t>(layer.sum_tiles(tile));
  const std::int64_t channels = tile.groups.size() * tile.n.size() / count;
  tiles.reserve(size(count));
  for (std::int64_t i = 0; i < count; ++i) {
    tiles.emplace_back(layer.spec(), tile.k.begin, tile.k.end, channels,
                       codes + i * channels * layer.codes(tile.k));
  }
}

}  // namespace

GemmLayer::GemmLayer(const IntegerNetwork& network, const LayerPlan& plan,
                     std::uint32_t width_group)
    : layer_(&network.layers[plan.layer]),
      op_(&std::get<GemmOp>(layer_->op)),
      group_(&plan.width_groups[width_group]) {
  spec_.act = network.tensors[size(op_->input)].precision;
  spec_.weight_bits = group_->weight_bits;
  spec_.positions = op_->window.kernel_h * op_->window.kernel_w;
  spec_.cin = layer_->in.c / op_->groups;
  spec_.depthwise = spec_.cin == 1 && op_->groups > 1 && group_->channels.front().size() == 1;
  spec_.order = group_->order;
}

std::uint64_t GemmLayer::region_bits(const Region& region) const {
  return static_cast<std::uint64_t>(region.rows.size() * region.cols.size() *
                                    pixel_bits(region.channels.size(), spec_.act.bits));
}

std::uint64_t GemmLayer::weight_bits(const GemmTile& tile) const {
  return static_cast<std::uint64_t>(tile.groups.size() * tile.n.size() * codes(tile.k) *
                                    spec_.weight_bits);
}

std::uint64_t GemmLayer::sums(const GemmTile& tile) const {
  return static_cast<std::uint64_t>(tile.groups.size() * tile.m.size() * tile.n.size());
}

std::size_t GemmLayer::sum_tiles(const GemmTile& tile) const {
  return spec_.depthwise ? 1 : size(tile.groups.size());
}

bool TileMath::Key::operator==(const Key& o) const {
  return plan == o.plan && stamp == o.stamp && bit == o.bit && width_group == o.width_group &&
         groups == o.groups && m == o.m && k == o.k && n == o.n;
}

void TileMath::reset() {
  weights_.clear();
  acts_ = Acts{};
}

std::uint64_t TileMath::accumulate(const GemmLayer& layer, std::uint32_t plan,
                                   const ArrayCommand& command, const TileOperands& operands,
                                   std::vector<SumTile>& sums) {
  const Weights& w = weights(layer, plan, command, operands);
  const Acts& a = acts(layer, plan, command, w.tiles.front(), operands);
  std::uint64_t overflows = 0;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (!command.accumulate) sums[i].reset(command.tile.m.size(), w.tiles[i].n());
    const std::uint64_t before = sums[i].intermediate_overflows();
    sums[i].accumulate(w.tiles[i], a.rows[i]);
    overflows += sums[i].intermediate_overflows() - before;
  }
  return overflows;
}

const TileMath::Weights& TileMath::weights(const GemmLayer& layer, std::uint32_t plan,
                                           const ArrayCommand& command,
                                           const TileOperands& operands) {
  const GemmTile& tile = command.tile;
  if (plan != weights_plan_) weights_.clear();
  weights_plan_ = plan;
  Weights& entry = weights_[command.weight_bit];
  const Key key{
      plan,  operands.weight_stamp, command.weight_bit, tile.width_group, tile.groups, {}, tile.k,
      tile.n};
  if (!entry.tiles.empty() && entry.key == key) return entry;

  const std::int64_t count = tile.groups.size() * tile.n.size() * layer.codes(tile.k);
  const Precision precision{layer.group().weight_bits, true};
  entry.key = key;
  entry.tiles.clear();
  if (precision.bits == 8 && command.weight_bit % 8 == 0) {
    // Bytes that are codes are used where they stand.
    pack_weights(layer, tile,
                 reinterpret_cast<const std::int8_t*>(operands.weight + command.weight_bit / 8),
                 entry.tiles);
  } else if (precision.bits < 8) {
    narrow_codes_.resize(size(count));
    unpack_codes(operands.weight, command.weight_bit, precision, count, narrow_codes_.data());
    pack_weights(layer, tile, narrow_codes_.data(), entry.tiles);
  } else {
    wide_codes_.resize(size(count));
    unpack_codes(operands.weight, command.weight_bit, precision, count, wide_codes_.data());
    pack_weights(layer, tile, wide_codes_.data(), entry.tiles);
  }
  return entry;
}

const TileMath::Acts& TileMath::acts(const GemmLayer& layer, std::uint32_t plan,
                                     const ArrayCommand& command, const WeightTile& weights,
                                     const TileOperands& operands) {
  const GemmTile& tile = command.tile;
  const Key key{plan,
                operands.act_stamp,
                command.act.buffer_bit,
                tile.width_group,
                tile.groups,
                tile.m,
                tile.k,
                {}};
  if (!acts_.rows.empty() && acts_.key == key) return acts_;
  acts_.key = key;
  acts_.rows.clear();
  if (weights.form() == RowForm::kBytes) {
    lay_acts<std::uint8_t>(layer, command, weights.bias(), operands);
  } else {
    lay_acts<std::int16_t>(layer, command, weights.bias(), operands);
  }
  return acts_;
}

template <class T>
void TileMath::lay_acts(const GemmLayer& layer, const ArrayCommand& command, int bias,
                        const TileOperands& operands) {
  const GemmSpec& spec = layer.spec();
  const GemmTile& tile = command.tile;
  Range codes{spec.first_code(tile.k.begin), spec.first_code(tile.k.end)};
  const std::int64_t pixels = command.act.rows.size() * command.act.cols.size();

  // Bytes that are codes are used where they stand.
  const bool bytes_are_codes = sizeof(T) == 1 && spec.act.bits == 8 && bias == 0;
  const T* region_codes = nullptr;
  if (bytes_are_codes) {
    region_codes = reinterpret_cast<const T*>(operands.act + command.act.buffer_bit / 8);
    const bool one_row =
        tile.m.begin / layer.layer().out.w == (tile.m.end - 1) / layer.layer().out.w;
    if (tile.groups.size() == 1 && rows_in_place(layer, command.act, codes, one_row)) {
      const Range m = tile.m;
      const Region& r = command.act;
      const std::int64_t first = m.begin - r.rows.begin * layer.layer().in.w - r.cols.begin;
      acts_.rows.push_back({region_codes + first * codes.size(), codes.size(), m.size()});
      return;
    }
  } else {
    act_codes_.resize(size(pixels * command.act.channels.size()) * sizeof(T));
    T* unpacked = reinterpret_cast<T*>(act_codes_.data());
    unpack_region(operands.act, command.act, spec.act, bias, unpacked);
    region_codes = unpacked;
  }

  WindowSource source;
  source.window = &layer.op().window;
  source.in = layer.layer().in;
  source.out = layer.layer().out;
  source.region = command.act;
  source.cin = spec.cin;
  if (spec.depthwise) {  // one window over the channels of all groups, rows [position][channel]
    const std::vector<std::int64_t> channels = window_channels(layer, tile.groups);
    source.cin = static_cast<std::int64_t>(channels.size());
    codes = {codes.begin * source.cin, codes.end * source.cin};
    if (!contiguous(channels)) {
      pick_channels(reinterpret_cast<T*>(act_codes_.data()), source.region, channels);
    } else {
      source.channel = channels.front() - source.region.channels.begin;
    }
  }
  const std::int64_t windows = spec.depthwise ? 1 : tile.groups.size();
  const std::int64_t elements = tile.m.size() * codes.size();
  acts_.bytes.resize(size(windows * elements + kRowSlack) * sizeof(T));
  T* rows = reinterpret_cast<T*>(acts_.bytes.data());
  for (std::int64_t i = 0; i < windows; ++i, rows += elements) {
    if (!spec.depthwise) {
      source.channel = layer.group().groups[size(tile.groups.begin + i)] * spec.cin -
                       source.region.channels.begin;
    }
    lay_rows<T>(source, region_codes, tile.m, codes, static_cast<T>(bias), rows);
    acts_.rows.push_back({rows, codes.size(), tile.m.size()});
  }
}

}  // namespace bitpulse
