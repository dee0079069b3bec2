// SPDX-License-Identifier: Apache-2.0
#pragma once

// Starts bitpulse-train, which is a program of its own so that bitpulse need not load libtorch.

#include <string>
#include <vector>

namespace bitpulse {

/// True where bitpulse-train stands beside this program.
bool has_trainer();

/// Runs it with these words to its end; it is asked to stop where this process ends before it.
///
/// returns its exit status (128 + signal where one ended it)
/// errors  kUsage: it is not there, saying how to get it; kIo
int run_trainer(const std::vector<std::string>& words);

}  // namespace bitpulse
