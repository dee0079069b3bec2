// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/weight_tiles.h"

#include <cstring>

#include "sim/systemc/bits.h"

namespace bitpulse {
namespace {

template <class Code>
void pack_codes_of_tile(const GemmLayer& layer, const GemmTile& tile, const Code* codes,
                        std::vector<WeightTile>& tiles) {
  const auto count = static_cast<std::int64_t>(layer.sum_tiles(tile));
  const std::int64_t channels = tile.groups.size() * tile.n.size() / count;
  tiles.clear();
  tiles.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    tiles.emplace_back(layer.spec(), tile.k.begin, tile.k.end, channels,
                       codes + i * channels * layer.codes(tile.k));
  }
}

}  // namespace

void WeightTiles::reset() {
  entries_.clear();
  held_bytes_ = 0;
}

const std::vector<WeightTile>& WeightTiles::get(const GemmLayer& layer, std::uint32_t plan,
                                                const ArrayCommand& command,
                                                const std::uint8_t* bytes, std::uint64_t stamp) {
  if (plan != plan_ || held_bytes_ > kMostBytes) reset();
  plan_ = plan;
  const GemmTile& tile = command.tile;
  Entry& entry = entries_[{tile.width_group, tile.groups.begin, tile.n.begin, tile.k.begin}];
  const bool same_tile = !entry.tiles.empty() && entry.tile.groups == tile.groups &&
                         entry.tile.n == tile.n && entry.tile.k == tile.k;
  if (same_tile && entry.bit == command.weight_bit && entry.stamp == stamp) return entry.tiles;

  const bool whole_bytes = command.weight_bit % 8 == 0 && layer.weight_bits(tile) % 8 == 0;
  const std::uint8_t* first = bytes + command.weight_bit / 8;
  const std::size_t count = whole_bytes ? layer.weight_bits(tile) / 8 : 0;
  const bool same_bytes = same_tile && whole_bytes && entry.bytes.size() == count &&
                          std::memcmp(entry.bytes.data(), first, count) == 0;
  entry.bit = command.weight_bit;
  entry.stamp = stamp;
  if (same_bytes) return entry.tiles;

  held_bytes_ += 2 * count;  // about as much again packed
  entry.tile = tile;
  entry.bytes.assign(first, first + count);
  pack(layer, command, bytes, entry);
  return entry.tiles;
}

void WeightTiles::pack(const GemmLayer& layer, const ArrayCommand& command,
                       const std::uint8_t* bytes, Entry& entry) {
  const GemmTile& tile = command.tile;
  const std::int64_t count = tile.groups.size() * tile.n.size() * layer.codes(tile.k);
  const Precision precision{layer.group().weight_bits, true};
  if (precision.bits == 8 && command.weight_bit % 8 == 0) {  // bytes that are codes
    pack_codes_of_tile(layer, tile,
                       reinterpret_cast<const std::int8_t*>(bytes + command.weight_bit / 8),
                       entry.tiles);
  } else if (precision.bits < 8) {
    narrow_codes_.resize(static_cast<std::size_t>(count));
    unpack_codes(bytes, command.weight_bit, precision, count, narrow_codes_.data());
    pack_codes_of_tile(layer, tile, narrow_codes_.data(), entry.tiles);
  } else {
    wide_codes_.resize(static_cast<std::size_t>(count));
    unpack_codes(bytes, command.weight_bit, precision, count, wide_codes_.data());
    pack_codes_of_tile(layer, tile, wide_codes_.data(), entry.tiles);
  }
}

}  // namespace bitpulse
