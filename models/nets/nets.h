// SPDX-License-Identifier: Apache-2.0
#pragma once

// The built-in networks, by name: one visible table from names to builders.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/graph.h"

namespace bitpulse {

struct NetworkInfo {
  const char* name;     // "resnet18", "resnet20-cifar", "yolov2-voc", ...
  const char* summary;  // one line with its source
  Graph (*build)();
};
const std::vector<NetworkInfo>& networks();

/// errors  kInvalidInput with the nearest name
Graph build_network(std::string_view name);

}  // namespace bitpulse
