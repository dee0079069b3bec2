// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/accumulator.h"

#include <string>

#include "models/error.h"

namespace bitpulse {
namespace {

[[noreturn]] void fail(CommandId command, const std::string& what) {
  throw Error(ErrorKind::kInternal, "accumulator: command " + std::to_string(command) + " " + what);
}

std::uint64_t sum_count(const GemmTile& tile) {
  return static_cast<std::uint64_t>(tile.groups.size() * tile.m.size() * tile.n.size());
}

bool same_outputs(const GemmTile& a, const GemmTile& b) {
  return a.width_group == b.width_group && a.groups == b.groups && a.m == b.m && a.n == b.n;
}

}  // namespace

AccumulatorModule::AccumulatorModule(const sc_core::sc_module_name& name)
    : sc_core::sc_module(name), hazards_("accumulator", true) {
  access.bind(*this);
}

void AccumulatorModule::reset(const RunState& run, std::uint32_t kib, int acc_bits) {
  run_ = &run;
  size_ = std::uint64_t{kib} * 1024 * 8 / static_cast<std::uint64_t>(acc_bits);
  places_.clear();
  hazards_.clear();
}

void AccumulatorModule::claim(const Claim& sums) {
  if (sums.end > size_) {
    fail(sums.command, "uses sums " + std::to_string(sums.begin) + ".." + std::to_string(sums.end) +
                           " of " + std::to_string(size_));
  }
  hazards_.add(sums, run_->cycle(), run_->oldest_waiting);
}

AccTile& AccumulatorModule::write(CommandId command, std::uint64_t offset, const GemmTile& tile,
                                  bool accumulate, std::size_t sum_tiles) {
  if (!accumulate) {
    const std::uint64_t end = offset + sum_count(tile);
    evict(command, offset, end);
    Place& place = places_[offset];
    place.end = end;
    place.tile.tile = tile;
    place.tile.sums.resize(sum_tiles);
  }
  AccTile& sums = find(command, offset, tile);
  sums.last_writer = command;
  sums.unread = true;
  return sums;
}

AccTile& AccumulatorModule::read(CommandId command, std::uint64_t offset, const GemmTile& tile) {
  AccTile& sums = find(command, offset, tile);
  sums.unread = false;
  return sums;
}

AccTile& AccumulatorModule::find(CommandId command, std::uint64_t offset, const GemmTile& tile) {
  const auto place = places_.find(offset);
  if (place == places_.end() || !same_outputs(place->second.tile.tile, tile)) {
    fail(command, "finds sums of another tile at " + std::to_string(offset));
  }
  return place->second.tile;
}

void AccumulatorModule::evict(CommandId command, std::uint64_t begin, std::uint64_t end) {
  auto place = places_.upper_bound(begin);
  if (place != places_.begin() && std::prev(place)->second.end > begin) --place;
  while (place != places_.end() && place->first < end) {
    if (place->second.tile.unread) {
      fail(command, "overwrites the sums of command " +
                        std::to_string(place->second.tile.last_writer) + " at " +
                        std::to_string(place->first) + ", which nobody has read");
    }
    place = places_.erase(place);
  }
}

}  // namespace bitpulse
