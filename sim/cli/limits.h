// SPDX-License-Identifier: Apache-2.0
#pragma once

// Options that every long-running subcommand has: how many threads, how much memory.

#include "sim/cli/command.h"

namespace bitpulse {

inline constexpr OptionSpec kThreadsOption{"threads", "N", "threads; 0: one per core (default)"};
inline constexpr OptionSpec kMemoryOption{"max-memory", "MIB",
                                          "refuse to use more memory than this (exit 4)"};
inline constexpr OptionSpec kSetOption{
    "set", "/POINTER=VALUE",
    "override a key of the workload or machine (workload:/..., machine:/... where both have it)"};
inline constexpr OptionSpec kJsonOption{"json", nullptr, "print one JSON document"};

int thread_count(const Arguments& arguments);

/// Makes allocations beyond --max-memory fail, which ends the program with exit status 4.
void limit_memory(const Arguments& arguments);

}  // namespace bitpulse
