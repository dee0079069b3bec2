// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which stored tensors share a scale.

#include <cstddef>
#include <vector>

#include "quant/lower.h"

namespace bitpulse {

/// For every stored tensor the one whose scale it has: itself, but for one that only a max-pool
/// reads, which has the scale of what it becomes.
std::vector<std::size_t> scale_owners(const Lowering& lowering);

}  // namespace bitpulse
