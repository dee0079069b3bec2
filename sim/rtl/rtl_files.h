// SPDX-License-Identifier: Apache-2.0
#pragma once

// The files that an array is built from on demand, in the source tree or in an installation
// (share/bitpulse): our SystemVerilog, and the C++ headers that a library of an array includes.

#include <string>
#include <vector>

namespace bitpulse::rtl {

/// The folder that holds bitpulse_types.svh.
///
/// errors  Error(kInvalidInput): it is not there
std::string rtl_folder();
/// All modules: paths below rtl_folder(), sorted.
std::vector<std::string> rtl_sources();

/// The folder where "sim/rtl/array_plugin.h" and "sim/rtl/verilated_array.h" are found.
std::string include_folder();
/// SHA-256 of these headers and of what they include.
///
/// errors  Error(kIo)
std::string include_digest();

}  // namespace bitpulse::rtl
