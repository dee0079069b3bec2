// SPDX-License-Identifier: Apache-2.0
#pragma once

// A picture of a sweep's front: a panel per scope over the first two objectives, dominated points
// in grey, a third objective as colour. gnuplot draws it.

#include <cstdint>
#include <string>
#include <vector>

#include "sim/sweep/row.h"
#include "sim/sweep/spec.h"

namespace bitpulse {

/// The picture as an SVG document.
///
/// dominated_by  of find_front()
/// errors        kUsage: fewer than two objectives, no point that is done, or too many scopes;
///               kIo: gnuplot is not there or fails
std::string front_svg(const SweepSpec& spec, const std::vector<Row>& rows,
                      const std::vector<std::int64_t>& dominated_by);

}  // namespace bitpulse
