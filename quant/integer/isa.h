// SPDX-License-Identifier: Apache-2.0
#pragma once

// The instruction sets the integer kernels are compiled for, chosen at run time. All give the same
// integers and counts; tests compare them.

#include <cstdint>
#include <vector>

namespace bitpulse {

enum class Isa : std::uint8_t { kPortable, kAvx2, kAvx512Vnni };

/// The fastest of this processor.
Isa best_isa();

/// All that this processor has, slowest first.
std::vector<Isa> supported_isas();

}  // namespace bitpulse
