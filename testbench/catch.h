// SPDX-License-Identifier: Apache-2.0
#pragma once

// Catch2 under one name: packaged v2 and v3 name their headers differently. Write Approx
// unqualified after `using Catch::Approx;` in v3, which this header does.

#ifdef BITPULSE_CATCH_V3
#include <catch2/catch_all.hpp>
namespace bitpulse {
using Catch::Approx;
}
#else
#include <catch2/catch.hpp>
#endif

#include <cstdlib>
#include <filesystem>
#include <iostream>

/// Ends the test case as skipped, visibly, where outside data is absent. Each test case runs in a
/// process of its own under CTest, which reads exit status 4 as "skipped".
#define BITPULSE_REQUIRE_SHARED(path)                                                \
  if (!std::filesystem::exists(std::string(BITPULSE_SHARED_DIR "/") + (path))) {     \
    std::cout << "SKIPPED: " BITPULSE_SHARED_DIR "/" << (path) << " is not there\n"; \
    std::exit(4);                                                                    \
  }
