// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/traffic.h"

#include <algorithm>

#include "models/units.h"
#include "sim/schedule/regions.h"

namespace bitpulse {

namespace {

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
    const double cycles_per_clock = machine.clock_mhz / t.dram_mhz;
    const std::uint32_t burst_step = std::max(t.t_ccd, t.burst_clocks);
    const std::uint32_t first_burst = std::min(t.t_cl, t.t_cwl) + t.burst_clocks;
    cycles_per_byte_ =
        burst_step * cycles_per_clock / (static_cast<double>(t.burst_bytes) * t.channels);
    // Commands follow one another: the first burst of each is done so much after it begins.
    latency_ = std::max(0.0, (static_cast<double>(first_burst) - burst_step) * cycles_per_clock);
    burst_bytes_ = t.burst_bytes;
  }
  const std::int64_t codes = shape.window.kernel_h * shape.window.kernel_w * shape.cin;
  for (const WidthGroup& group : groups) {
    weight_bytes_ += u64(bytes_of(group.channel_count() * codes * group.weight_bits));
  }
  const std::int64_t channels = shape.is_gemm ? shape.groups * shape.cin : shape.cout;
  pixel_bytes_ = bytes_of(channels * shape.in.bits);
  if (shape.is_gemm) per_position_ = ceil_div(shape.cin, groups.front().mode.lanes);
  for (const StoreShape& store : shape.stores) {
    if (!store.kept) stored_once_ += {1, stored_bytes(store)};
  }
  if (shape.has_identity) {
    const TensorShape& identity = shape.identity.tensor;
    identity_bytes_ = u64(shape.m * bytes_of(identity.c * identity.bits));
  }
}

std::uint64_t LayerTraffic::stored_bytes(const StoreShape& store) const {
  const std::int64_t bits = shape_.out_channels() * store.tensor.bits;
  // Slices of one pixel may share bytes.
  return u64(store.reorg > 1 ? bytes_of(shape_.m * bits) : shape_.m * bytes_of(bits));
}

std::uint64_t LayerTraffic::moved(std::int64_t pixels, std::int64_t spans, std::int64_t run,
                                  std::int64_t stride) const {
  const std::int64_t burst = burst_bytes_ * 8, gap = stride - run;
  if (gap >= burst) return u64(pixels * ceil_div(run, burst) * burst_bytes_);
  return u64((pixels * stride - spans * gap) / 8);  // no burst in a span is left out
}

std::uint64_t LayerTraffic::moved_in_slices(std::int64_t pixels, std::int64_t spans,
                                            std::int64_t extent, std::int64_t slice,
                                            std::int64_t stride) const {
  if (burst_bytes_ == 0) return 0;
  const std::int64_t full = std::min(slice, extent), rest = extent % full;
  return u64(extent / full) * moved(pixels, spans, full, stride) +
         (rest > 0 ? moved(pixels, spans, rest, stride) : 0);
}

std::uint64_t LayerTraffic::moved_by_tiles(const PixelFacts& m, const ChannelFacts& channels,
                                           bool gather, const TensorShape& tensor) const {
  if (burst_bytes_ == 0) return 0;
  const ChannelTiling& tiling = channels.tiling;
  const std::int64_t all = shape_.out_channels() * tensor.bits;
  if (gather) return moved(shape_.m, m.count, all, tensor.pixel_bits);
  if (shape_.groups == 1 || tiling.groups == 1) {
    return u64(shape_.groups) * moved_in_slices(shape_.m, m.count, all / shape_.groups,
                                                tiling.n * tensor.bits, tensor.pixel_bits);
  }
  return moved_in_slices(shape_.m, m.count, all, tiling.groups * shape_.cout * tensor.bits,
                         tensor.pixel_bits);
}

Traffic LayerTraffic::act_loads(const InputFacts& input, const ChannelFacts& channels,
                                bool n_outer) const {
  if (shape_.in_kept) return {};
  const std::int64_t bits = shape_.in.bits, stride = shape_.in.pixel_bits;
  if (!shape_.is_gemm) {
    return {u64(input.loads * channels.tiles), u64(input.pixels * pixel_bytes_),
            moved_in_slices(input.pixels, input.spans, shape_.cout * bits, channels.tiling.n * bits,
                            stride)};
  }
  if (groups_.size() > 1) {  // tiles of neighbouring width groups may share their input
    return {u64(input.loads), u64(input.pixels * bytes_of(shape_.cin * shape_.in.bits))};
  }
  std::int64_t loads = input.loads * channels.group_tiles;
  std::int64_t bytes = input.pixels * pixel_bytes_;
  std::uint64_t bursts =
      moved_in_slices(input.pixels, input.spans, shape_.groups * shape_.cin * bits,
                      channels.tiling.groups * shape_.cin * bits, stride);
  // Two slots keep two tiles; more of them are read again for every channel tile.
  if (n_outer && input.loads > 2 && !input.shared) {
    loads *= channels.tiles_per_group;
    bytes *= channels.tiles_per_group;
    bursts *= u64(channels.tiles_per_group);
  }
  return {u64(loads), u64(bytes), bursts};
}

Traffic LayerTraffic::act_loads_of_k_tiles(const Tiling& tiling, PixelLoads& pixels,
                                           const ChannelFacts& channels) const {
  if (shape_.in_kept) return {};
  const InputFacts& input = pixels.input();
  if (groups_.size() > 1) return {input.loads > 0 ? u64(1) : 0, 0};
  const std::int64_t again = channels.tiles_per_group;
  // Neighbours of a range's pixels are not known: each for itself, where bursts do not reach on.
  const auto in_ranges = [&](std::int64_t count) {
    return u64(shape_.groups) *
           moved_in_slices(count, count, shape_.cin * shape_.in.bits,
                           tiling.k * groups_.front().mode.lanes * shape_.in.bits,
                           shape_.in.pixel_bits);
  };
  if (per_position_ % tiling.k == 0 && per_position_ / tiling.k > 2) {
    // Three ranges of channels in turn never stay in two slots.
    const PositionFacts& facts = pixels.positions();
    return {u64(facts.loads * (per_position_ / tiling.k) * channels.group_tiles * again),
            u64(facts.pixels * pixel_bytes_ * again), in_ranges(facts.pixels) * u64(again)};
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
          u64(input.pixels * pixel_bytes_ * times), in_ranges(input.pixels) * u64(times)};
}

Traffic LayerTraffic::least_loads(const PixelFacts& m, const LeastLoads& loads,
                                  const ChannelFacts& channels, bool n_outer) const {
  Traffic all;
  if (!shape_.in_kept && loads.pixels > 0) {
    if (!shape_.is_gemm) {
      all = {u64(loads.loads * channels.tiles), u64(loads.pixels * pixel_bytes_)};
    } else if (groups_.size() > 1) {  // neighbouring width groups may share their input
      all = {u64(loads.loads), u64(loads.pixels * bytes_of(shape_.cin * shape_.in.bits))};
    } else {
      const std::int64_t times = n_outer && loads.again ? channels.tiles_per_group : 1;
      all = {u64(loads.loads * channels.group_tiles * times),
             u64(loads.pixels * pixel_bytes_ * times)};
    }
  }
  if (shape_.is_gemm) {
    all += weight_loads(channels.tiles, n_outer || channels.tiles <= 2 ? 1 : m.count);
  }
  return all;
}

Traffic LayerTraffic::weight_loads(std::int64_t blocks, std::int64_t times) const {
  return {u64(blocks * times), weight_bytes_ * u64(times), u64(blocks * times * burst_bytes_)};
}

Traffic LayerTraffic::stores(const PixelFacts& m, const ChannelFacts& channels, bool gather) const {
  const std::int64_t tiles = m.count * (gather ? 1 : channels.tiles);
  const std::uint64_t commands = stored_once_.commands * u64(tiles);
  if (burst_bytes_ == 0) return {commands, stored_once_.bytes};
  std::uint64_t bursts = 0;
  for (const StoreShape& store : shape_.stores) {
    if (store.kept) continue;
    bursts +=
        store.reorg > 1 ? stored_bytes(store) : moved_by_tiles(m, channels, gather, store.tensor);
  }
  return {commands, stored_once_.bytes, bursts};
}

Traffic LayerTraffic::store_of(std::int64_t pixels, std::int64_t channels) const {
  Traffic traffic;
  for (const StoreShape& store : shape_.stores) {
    if (store.kept) continue;
    traffic += {1, u64(bytes_of(pixels * channels * store.tensor.bits))};
  }
  return traffic;
}

Traffic LayerTraffic::identity_loads(const PixelFacts& m, const ChannelFacts& channels,
                                     bool gather) const {
  if (!shape_.has_identity || shape_.identity.kept) return {};
  const IdentityShape& identity = shape_.identity;
  if (identity.tensor.c != shape_.out_channels()) return {1, identity_bytes_};
  const std::int64_t tiles = m.count * (gather ? 1 : channels.tiles);
  return {u64(tiles), identity_bytes_,
          identity.stride == 1 ? moved_by_tiles(m, channels, gather, identity.tensor) : 0};
}

std::uint64_t LayerTraffic::act_load(std::int64_t pixels, const ChannelTiling& channels) const {
  if (pixels == 0 || shape_.in_kept) return 0;
  const std::int64_t loaded =
      shape_.is_gemm ? std::min(channels.groups, groups_.front().members()) * shape_.cin
                     : std::min(channels.n, shape_.cout);
  return cycles({1, u64(pixels * bytes_of(loaded * shape_.in.bits))});
}

std::uint64_t LayerTraffic::weight_load(std::int64_t weights) const {
  return cycles({1, u64(bytes_of(weights * groups_.front().weight_bits))});
}

}  // namespace bitpulse
