// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/accumulator.h"

#include <string>

#include "models/error.h"

namespace bitpulse {
namespace {

[[noreturn]] void fail(const Claim& claim, const std::string& what) {
  throw Error(ErrorKind::kInternal, "accumulator: command " + std::to_string(claim.command) + " " +
                                        what + " (sums " + std::to_string(claim.begin) + ".." +
                                        std::to_string(claim.end) + ")");
}

bool same_outputs(const GemmTile& a, const GemmTile& b) {
  return a.width_group == b.width_group && a.groups == b.groups && a.m == b.m && a.n == b.n;
}

}  // namespace

AccumulatorModule::AccumulatorModule(sc_core::sc_module_name name)
    : sc_core::sc_module(name), hazards_("accumulator", true) {
  access.bind(*this);
}

void AccumulatorModule::reset(std::uint32_t kib, int acc_bits) {
  size_ = std::uint64_t{kib} * 1024 * 8 / static_cast<std::uint64_t>(acc_bits);
  places_.clear();
  hazards_.clear();
}

AccTile& AccumulatorModule::write(const Claim& claim, std::uint64_t now, const GemmTile& tile,
                                  bool accumulate, std::size_t sum_tiles) {
  if (claim.end > size_) fail(claim, "writes beyond " + std::to_string(size_) + " sums");
  hazards_.add(claim, now);
  if (!accumulate) {
    evict(claim);
    Place& place = places_[claim.begin];
    place.end = claim.end;
    place.tile.tile = tile;
    place.tile.sums.resize(sum_tiles);
  }
  AccTile& sums = find(claim, tile);
  sums.last_writer = claim.command;
  sums.unread = true;
  return sums;
}

AccTile& AccumulatorModule::read(const Claim& claim, std::uint64_t now, const GemmTile& tile) {
  hazards_.add(claim, now);
  AccTile& sums = find(claim, tile);
  sums.unread = false;
  return sums;
}

AccTile& AccumulatorModule::find(const Claim& claim, const GemmTile& tile) {
  const auto place = places_.find(claim.begin);
  if (place == places_.end() || place->second.end != claim.end ||
      !same_outputs(place->second.tile.tile, tile)) {
    fail(claim, "finds sums of another tile");
  }
  return place->second.tile;
}

void AccumulatorModule::evict(const Claim& claim) {
  auto place = places_.upper_bound(claim.begin);
  if (place != places_.begin() && std::prev(place)->second.end > claim.begin) --place;
  while (place != places_.end() && place->first < claim.end) {
    if (place->second.tile.unread) {
      fail(claim, "overwrites the sums of command " +
                      std::to_string(place->second.tile.last_writer) + ", which nobody has read");
    }
    place = places_.erase(place);
  }
}

}  // namespace bitpulse
