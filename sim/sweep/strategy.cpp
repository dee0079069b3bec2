// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/strategy.h"

#include <algorithm>
#include <boost/random/sobol.hpp>
#include <numeric>
#include <random>

namespace bitpulse {
namespace {

/// 0..size-1 for `at` in 0..count-1, in equal shares.
std::uint32_t share(std::uint64_t at, std::uint64_t count, std::uint64_t size) {
  const auto part = static_cast<unsigned __int128>(at) * size / count;
  return static_cast<std::uint32_t>(part);
}

std::vector<std::uint64_t> random_points(const SweepSpec& spec) {
  std::mt19937_64 random(spec.strategy.seed);
  const std::uint64_t grid = spec.grid_points();
  std::vector<std::uint64_t> ids;
  for (std::int64_t i = 0; i < spec.strategy.points; ++i) ids.push_back(random() % grid);
  return ids;
}

/// One sample in each of `points` equal shares of every dimension.
std::vector<std::uint64_t> latin_points(const SweepSpec& spec) {
  std::mt19937_64 random(spec.strategy.seed);
  const std::vector<std::uint64_t> sizes = spec.sizes();
  const auto count = static_cast<std::size_t>(spec.strategy.points);
  std::vector<std::uint64_t> ids(count, 0), order(count);
  for (const std::uint64_t size : sizes) {
    std::iota(order.begin(), order.end(), 0);
    // Fisher and Yates; std::shuffle differs between libraries.
    for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
    for (std::size_t i = 0; i < count; ++i) ids[i] = ids[i] * size + share(order[i], count, size);
  }
  return ids;
}

std::vector<std::uint64_t> sobol_points(const SweepSpec& spec) {
  const std::vector<std::uint64_t> sizes = spec.sizes();
  boost::random::sobol sequence(sizes.size());
  std::vector<std::uint64_t> ids;
  for (std::int64_t i = 0; i < spec.strategy.points; ++i) {
    std::uint64_t id = 0;
    for (const std::uint64_t size : sizes)
      id = id * size + share(sequence() >> 1, 1ULL << 63, size);
    ids.push_back(id);
  }
  return ids;
}

}  // namespace

std::vector<std::uint64_t> choose_points(const SweepSpec& spec) {
  std::vector<std::uint64_t> ids;
  switch (spec.strategy.kind) {
    case StrategyKind::kGrid:
      ids.resize(spec.grid_points());
      std::iota(ids.begin(), ids.end(), 0);
      return ids;
    case StrategyKind::kRandom:
      ids = random_points(spec);
      break;
    case StrategyKind::kLatinHypercube:
      ids = latin_points(spec);
      break;
    case StrategyKind::kSobol:
      ids = sobol_points(spec);
      break;
    case StrategyKind::kNsga2:
      break;
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace bitpulse
