// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/hazard.h"

#include <algorithm>

#include "models/error.h"

namespace bitpulse {

void HazardCheck::add(const Claim& claim, std::uint64_t now) {
  live_.erase(
      std::remove_if(live_.begin(), live_.end(), [now](const Claim& c) { return c.finish <= now; }),
      live_.end());
  for (const Claim& other : live_) {
    if (other.command == claim.command || other.end <= claim.begin || claim.end <= other.begin) {
      continue;
    }
    if (other.finish <= claim.start || claim.finish <= other.start) continue;
    const bool conflict = in_order_ ? other.writes != claim.writes : other.writes || claim.writes;
    if (!conflict) continue;
    throw Error(ErrorKind::kInternal,
                memory_ + " hazard: command " + std::to_string(claim.command) +
                    (claim.writes ? " writes " : " reads ") + std::to_string(claim.begin) + ".." +
                    std::to_string(claim.end) + " in cycles " + std::to_string(claim.start) + ".." +
                    std::to_string(claim.finish) + ", and command " +
                    std::to_string(other.command) + (other.writes ? " writes " : " reads ") +
                    std::to_string(other.begin) + ".." + std::to_string(other.end) + " in cycles " +
                    std::to_string(other.start) + ".." + std::to_string(other.finish));
  }
  live_.push_back(claim);
}

}  // namespace bitpulse
