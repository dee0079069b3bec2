// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where results that are costly to make again are kept between commands.

#include <string>

#include "sim/cli/command.h"

namespace bitpulse {

/// Of --cache, where the subcommand has it.
std::string cache_folder(const Arguments& arguments);

/// $BITPULSE_CACHE, else bitpulse in $XDG_CACHE_HOME or ~/.cache. errors  kUsage: none is set
std::string cache_folder();

}  // namespace bitpulse
