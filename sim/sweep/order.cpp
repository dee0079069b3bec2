// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/order.h"

#include <algorithm>
#include <utility>

#include "sim/sweep/evaluator.h"

namespace bitpulse {

std::vector<std::uint64_t> in_order(const Evaluator& evaluator,
                                    const std::vector<std::uint64_t>& ids) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> order;
  order.reserve(ids.size());
  for (const std::uint64_t id : ids) order.emplace_back(evaluator.sharing(id), id);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::uint64_t> ordered;
  ordered.reserve(ids.size());
  for (const auto& [shared, id] : order) ordered.push_back(id);
  return ordered;
}

std::vector<std::size_t> ends_of_batches(const Evaluator& evaluator,
                                         const std::vector<std::uint64_t>& ordered) {
  constexpr std::size_t kMost = 64;
  std::vector<std::size_t> ends;
  std::uint64_t last = 0;
  std::size_t size = 0;
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    const std::uint64_t shared = evaluator.sharing(ordered[i]);
    if (i > 0 && (shared != last || size == kMost)) {
      ends.push_back(i);
      size = 0;
    }
    ++size;
    last = shared;
  }
  if (!ordered.empty()) ends.push_back(ordered.size());
  return ends;
}

}  // namespace bitpulse
