// SPDX-License-Identifier: Apache-2.0
#pragma once

// The search for the best of all sets of tensors to keep on chip. What a layer costs depends on the
// tensors then kept and their places alone, and the costs of layers add up. So of all ways to come
// to a content of the buffer before a layer only the cheapest goes on, and ways go on in the order
// of what they cost at least in the end (A*): where arrays overlap, a layer costs no less than with
// any of its own tensors kept and all the room for its tiles.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/keep.h"
#include "sim/schedule/search.h"

namespace bitpulse {

/// Contents of the buffer, beside an empty one, that are pursued at any time of the program: those
/// found first, as the most promising. Beyond that keeping still costs no cycles, but a better set
/// may be missed. Built-in networks come to 268.
inline constexpr std::size_t kMostWays = 1024;

using Kept = std::vector<KeptTensor>;

/// Notes which tensors of a layer are kept, and where.
void mark(ChosenLayer& layer, std::uint32_t index, const Kept& kept);

/// Those of `tensors` that are best kept, with their places.
///
/// layers   chosen with `fixed` kept, and marked
/// tensors  as of keepable_tensors
Kept best_to_keep(const Machine& machine, TilingSearch& search, std::vector<LayerPlan>& plans,
                  const std::vector<ChosenLayer>& layers, const Kept& fixed, const Kept& tensors);

}  // namespace bitpulse
