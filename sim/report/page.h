// SPDX-License-Identifier: Apache-2.0
#pragma once

// A report as one HTML file that needs nothing else: styles, scripts, the chart library and the
// numbers stand in it, and its content policy forbids requests. The chart library is the packaged
// Chart.js, embedded when Bitpulse was built.

#include <optional>
#include <string>

#include "models/io/json.h"

namespace bitpulse {

/// False where the chart library was not installed when Bitpulse was built.
bool pages_are_built_in();

/// The page of a run.
///
/// report    a report.json
/// timeline  a timeline.json of the same run (trace.h)
/// eval      what `bitpulse eval --compare-layers --json` printed for the workload
/// errors    kInvalidInput: not such documents; kUsage: no chart library
std::string run_page(const JsonValue& report, const std::optional<JsonValue>& timeline,
                     const std::optional<JsonValue>& eval);

/// The page of a sweep.
///
/// sweep   what `bitpulse sweep export --json` prints
/// errors  kInvalidInput: no such document, or no point is done; kUsage: no chart library
std::string sweep_page(const JsonValue& sweep);

}  // namespace bitpulse
