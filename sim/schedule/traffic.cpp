// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/traffic.h"

#include <algorithm>
#include <cmath>

#include "models/units.h"
#include "sim/schedule/regions.h"

namespace bitpulse {

namespace {

std::uint64_t u64(std::int64_t value) { return static_cast<std::uint64_t>(value); }
std::int64_t bytes_of(std::int64_t bits) { return (bits + 7) / 8; }

}  // namespace

LayerTraffic::LayerTraffic(const LayerShape& shape, const std::vector<WidthGroup>& groups,
                           const Machine& machine)
    : shape_(shape), groups_(groups) {
  const DramSpec& dram = machine.dram;
  if (dram.model == DramModel::kFixed) {
    latency_ = dram.latency_cycles;
    cycles_per_byte_ = 1.0 / dram.bytes_per_cycle;
  } else {
    const DramTiming& t = dram.timing;
    cycles_per_byte_ = static_cast<double>(t.burst_clocks) * machine.clock_mhz /
                       (static_cast<double>(t.burst_bytes) * t.channels * t.dram_mhz);
  }
  const std::int64_t codes = shape.window.kernel_h * shape.window.kernel_w * shape.cin;
  for (const WidthGroup& group : groups) {
    weight_bytes_ += u64(bytes_of(group.channel_count() * codes * group.weight_bits));
  }
  const std::int64_t channels = shape.is_gemm ? shape.groups * shape.cin : shape.cout;
  pixel_bytes_ = bytes_of(channels * shape.in.bits);
  if (shape.is_gemm) per_position_ = ceil_div(shape.cin, groups.front().mode.lanes);
  for (const StoreShape& store : shape.stores) {
    const std::int64_t bits = shape.out_channels() * store.tensor.bits;
    // Slices of one pixel may share bytes.
    stored_once_ += {1, u64(store.reorg > 1 ? bytes_of(shape.m * bits) : shape.m * bytes_of(bits))};
  }
  if (shape.has_identity) {
    const TensorShape& identity = shape.identity.tensor;
    identity_bytes_ = u64(shape.m * bytes_of(identity.c * identity.bits));
  }
}

std::uint64_t LayerTraffic::cycles(Traffic traffic) const {
  // A hair below, so that rounding of the product never lifts the bound above the truth.
  const double cycles = static_cast<double>(traffic.bytes) * cycles_per_byte_;
  return traffic.commands * latency_ + static_cast<std::uint64_t>(std::ceil(cycles * (1 - 1e-12)));
}

Traffic LayerTraffic::act_loads(const Tiling& tiling, PixelLoads& pixels,
                                const ChannelFacts& channels) const {
  const InputFacts& input = pixels.input();
  if (!shape_.is_gemm) return {u64(input.loads * channels.tiles), u64(input.pixels * pixel_bytes_)};
  if (groups_.size() > 1) {  // tiles of neighbouring width groups may share their input
    if (!tiling.whole_act) return {input.loads > 0 ? u64(1) : 0, 0};
    return {u64(input.loads), u64(input.pixels * bytes_of(shape_.cin * shape_.in.bits))};
  }
  if (!tiling.whole_act) return act_loads_of_k_tiles(tiling, pixels, channels);
  std::int64_t loads = input.loads * channels.group_tiles;
  std::int64_t bytes = input.pixels * pixel_bytes_;
  // Two slots keep two tiles; more of them are read again for every channel tile.
  if (tiling.n_outer && input.loads > 2 && !input.shared) {
    loads *= channels.tiles_per_group;
    bytes *= channels.tiles_per_group;
  }
  return {u64(loads), u64(bytes)};
}

Traffic LayerTraffic::act_loads_of_k_tiles(const Tiling& tiling, PixelLoads& pixels,
                                           const ChannelFacts& channels) const {
  const InputFacts& input = pixels.input();
  const std::int64_t again = channels.tiles_per_group;
  if (per_position_ % tiling.k == 0 && per_position_ / tiling.k > 2) {
    // Three ranges of channels in turn never stay in two slots.
    const PositionFacts& facts = pixels.positions();
    return {u64(facts.loads * (per_position_ / tiling.k) * channels.group_tiles * again),
            u64(facts.pixels * pixel_bytes_ * again)};
  }
  const Window& w = shape_.window;
  const bool padded = w.pad_top > 0 || w.pad_bottom > 0 || w.pad_left > 0 || w.pad_right > 0;
  if (w.kernel_h > 1 || w.kernel_w > 1 || padded || input.shared) {  // empty or shared tiles
    return {input.loads > 0 ? u64(channels.group_tiles) : 0, 0};
  }
  const std::int64_t k_tiles = ceil_div(groups_.front().k_packed, tiling.k);
  const std::int64_t in_turn = tiling.n_outer ? input.loads * k_tiles : k_tiles;
  const std::int64_t times = in_turn > 2 ? again : 1;
  return {u64(input.loads * k_tiles * channels.group_tiles * times),
          u64(input.pixels * pixel_bytes_ * times)};
}

Traffic LayerTraffic::stores(std::int64_t tiles) const {
  return {stored_once_.commands * u64(tiles), stored_once_.bytes};
}

Traffic LayerTraffic::store_of(std::int64_t pixels, std::int64_t channels) const {
  Traffic traffic;
  for (const StoreShape& store : shape_.stores) {
    traffic += {1, u64(bytes_of(pixels * channels * store.tensor.bits))};
  }
  return traffic;
}

Traffic LayerTraffic::identity_loads(std::int64_t tiles) const {
  if (!shape_.has_identity) return {};
  const bool everywhere = shape_.identity.tensor.c == shape_.out_channels();
  return {everywhere ? u64(tiles) : 1, identity_bytes_};
}

std::uint64_t LayerTraffic::first_loads(const Tiling& tiling, const InputFacts& input) const {
  const auto act = [&](std::int64_t channels) {
    if (input.first_pixels == 0) return std::uint64_t{0};
    return cycles({1, u64(input.first_pixels * bytes_of(channels * shape_.in.bits))});
  };
  if (!shape_.is_gemm) return act(std::min(tiling.n, shape_.cout));
  const WidthGroup& group = groups_.front();
  const std::int64_t repeats = std::min(tiling.groups, group.members());
  return weight_load(repeats, std::min(tiling.n, group.channels_each()), 0,
                     std::min(tiling.k, group.k_packed)) +
         (tiling.whole_act ? act(repeats * shape_.cin) : 0);
}

std::uint64_t LayerTraffic::weight_load(std::int64_t repeats, std::int64_t n, std::int64_t from,
                                        std::int64_t to) const {
  const WidthGroup& group = groups_.front();
  const std::int64_t codes =
      codes_before(shape_, group.mode.lanes, to) - codes_before(shape_, group.mode.lanes, from);
  return cycles({1, u64(bytes_of(repeats * n * codes * group.weight_bits))});
}

}  // namespace bitpulse
