// SPDX-License-Identifier: Apache-2.0
#pragma once

// The files of html/ and the chart library, embedded by embed.cmake.

#include <string_view>

namespace bitpulse {

extern const std::string_view kPage, kPageStyle, kCommonScript, kRunScript, kSweepScript;
extern const std::string_view kChartLibrary;  // empty: not installed when Bitpulse was built

}  // namespace bitpulse
