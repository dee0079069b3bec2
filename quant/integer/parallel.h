// SPDX-License-Identifier: Apache-2.0
#pragma once

// Independent items on several threads. Which thread takes an item is not fixed, so an item writes
// what no other writes, and whatever is summed over items must not depend on their order.

#include <cstdint>
#include <functional>

namespace bitpulse {

/// Calls work(item, worker) for items 0..count-1, worker 0..threads-1. The first exception of the
/// lowest item ends the rest and is thrown again.
void parallel_for(int threads, std::int64_t count,
                  const std::function<void(std::int64_t item, int worker)>& work);

}  // namespace bitpulse
