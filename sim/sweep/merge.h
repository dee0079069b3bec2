// SPDX-License-Identifier: Apache-2.0
#pragma once

// Joins stores of shards into one.

#include <cstdint>
#include <string>
#include <vector>

namespace bitpulse {

struct MergeSummary {
  std::uint64_t rows = 0;   // taken from the parts
  std::uint64_t equal = 0;  // that another part had, too
};

/// Adds the rows of `parts` to `target`, which may exist; a result takes the place of a failure.
/// Nothing is written unless all parts agree.
///
/// errors  kCheckFailed: two stores have different results for one point, or belong to different
///         sweeps; names both
MergeSummary merge_stores(const std::string& target, const std::vector<std::string>& parts);

}  // namespace bitpulse
