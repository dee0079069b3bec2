// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/hazard.h"

#include <algorithm>

#include "models/error.h"

namespace bitpulse {
namespace {

std::string describe(const Claim& c) {
  return "command " + std::to_string(c.command) + (c.writes ? " writes " : " reads ") +
         std::to_string(c.begin) + ".." + std::to_string(c.end) + " in cycles " +
         std::to_string(c.start) + ".." + std::to_string(c.finish);
}

}  // namespace

void HazardCheck::add(const Claim& claim, std::uint64_t now, CommandId oldest_waiting) {
  live_.erase(
      std::remove_if(live_.begin(), live_.end(),
                     [&](const Claim& c) { return c.finish <= now && c.command < oldest_waiting; }),
      live_.end());
  for (const Claim& other : live_) {
    if (other.command == claim.command || other.end <= claim.begin || claim.end <= other.begin) {
      continue;
    }
    const bool conflict = in_order_ ? other.writes != claim.writes : other.writes || claim.writes;
    const Claim& earlier = other.command < claim.command ? other : claim;
    const Claim& later = other.command < claim.command ? claim : other;
    if (!conflict || earlier.finish <= later.start) continue;
    throw Error(ErrorKind::kInternal, memory_ + " hazard: " + describe(later) +
                                          " without waiting for " + describe(earlier));
  }
  live_.push_back(claim);
}

}  // namespace bitpulse
