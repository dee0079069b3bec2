// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where --engine rtl and cosim get their Verilated arrays: from the program, from the cache that
// `bitpulse rtl build` fills, or a user's own by --array.

#include "sim/cli/command.h"
#include "sim/rtl/array_model.h"
#include "sim/rtl/array_store.h"

namespace bitpulse {

inline constexpr OptionSpec kArrayOption{
    "array", "NAME|FILE", "an array of your own, built by bitpulse rtl build, or its library"};
inline constexpr OptionSpec kCacheOption{
    "cache", "DIR",
    "of arrays (default $BITPULSE_CACHE, else bitpulse in $XDG_CACHE_HOME or ~/.cache)"};

inline constexpr OptionSpec kTraceOption{
    "trace", "FILE",
    "with --engine rtl: write the array's waves there (.vcd, .fst), a nanosecond for each cycle in "
    "which it works"};

/// errors  kUsage: neither --cache nor an environment variable names a folder
rtl::ArrayStore array_store(const Arguments& arguments);

/// The maker's errors are kInvalidInput and name the command that builds what is missing.
rtl::ArrayMaker array_maker(const Arguments& arguments);

/// The same arrays made to write waves; they are built where they are not there.
///
/// file    that they write the waves of all their cycles to; "": they wait for open_trace
/// errors  the maker's: as array_maker's and ArrayStore::build's
rtl::ArrayMaker traced_array_maker(const Arguments& arguments, rtl::Trace trace,
                                   const std::string& file);
/// The arrays of `bitpulse run`: with --trace FILE traced ones, to its extension.
///
/// errors  kUsage: neither a .vcd nor a .fst file
rtl::ArrayMaker run_array_maker(const Arguments& arguments);

}  // namespace bitpulse
