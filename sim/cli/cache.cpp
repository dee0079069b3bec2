// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/cache.h"

#include <cstdlib>

#include "models/error.h"

namespace bitpulse {

std::string cache_folder(const Arguments& arguments) {
  return arguments.has("cache") ? arguments.text("cache") : cache_folder();
}

std::string cache_folder() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  if (!variable("BITPULSE_CACHE").empty()) return variable("BITPULSE_CACHE");
  if (!variable("XDG_CACHE_HOME").empty()) return variable("XDG_CACHE_HOME") + "/bitpulse";
  if (!variable("HOME").empty()) return variable("HOME") + "/.cache/bitpulse";
  throw Error(ErrorKind::kUsage, "no folder for the cache: set BITPULSE_CACHE or HOME");
}

}  // namespace bitpulse
