// SPDX-License-Identifier: Apache-2.0
#pragma once

// In which order and how many at a time points are run, so that those that share a run are run by
// one thread, one after another.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitpulse {

class Evaluator;

/// `ids` with the points that share a run next to each other.
std::vector<std::uint64_t> in_order(const Evaluator& evaluator,
                                    const std::vector<std::uint64_t>& ids);

/// Where batches end that one thread takes: points that share a run, but not all of very many.
std::vector<std::size_t> ends_of_batches(const Evaluator& evaluator,
                                         const std::vector<std::uint64_t>& ordered);

}  // namespace bitpulse
