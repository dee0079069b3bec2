// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether a module that Verilator has read keeps to the port contract of rtl/README.md: asked of
// the header that Verilator wrote, since a port of another width would be cut or filled without a
// word.

#include <string>

#include "sim/rtl/array_recipe.h"

namespace bitpulse::rtl {

/// errors  Error(kInvalidInput): a port is missing, too many, of another width or direction
void check_ports(const std::string& header, const ArrayRecipe& recipe);

}  // namespace bitpulse::rtl
