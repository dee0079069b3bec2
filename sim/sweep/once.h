// SPDX-License-Identifier: Apache-2.0
#pragma once

// What several points need is made once, whichever thread asks first.

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace bitpulse {

/// What `make()` points to, for `key`; made again only when `made` had become too long (`most`).
/// Two threads may make the same.
template <class Key, class Value, class Make>
std::shared_ptr<const Value> once(std::mutex& mutex,
                                  std::map<Key, std::shared_ptr<const Value>>& made, const Key& key,
                                  const Make& make, std::size_t most) {
  {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = made.find(key);
    if (found != made.end()) return found->second;
  }
  std::shared_ptr<const Value> value = make();
  const std::lock_guard<std::mutex> lock(mutex);
  if (made.size() >= most) made.clear();
  return made.emplace(key, std::move(value)).first->second;
}

}  // namespace bitpulse
