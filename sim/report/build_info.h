// SPDX-License-Identifier: Apache-2.0
#pragma once

// What this program is and what it was built with, as found when it was configured.

#include <string>

namespace bitpulse {

/// systemc and verilator are empty where they are not built in.
struct BuildInfo {
  std::string version;
  std::string commit;  // git describe; "unknown" outside a repository
  std::string compiler;
  std::string systemc;
  std::string verilator;
};
BuildInfo build_info();

/// {"version": ..., "commit": ..., ...}; null for what is not built in.
std::string to_json(const BuildInfo& build);

}  // namespace bitpulse
