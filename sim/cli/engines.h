// SPDX-License-Identifier: Apache-2.0
#pragma once

// The engines that this program was built with, by name.

#include <memory>
#include <string>

#include "sim/cli/command.h"
#include "sim/engine.h"
#include "sim/machine.h"

namespace bitpulse {

struct EngineInfo {
  const char* name;
  bool computes_values;
  std::unique_ptr<Engine> (*make)(const Arguments&);
};

/// errors  kUsage: no engine of this name, or one that is not built in
const EngineInfo& find_engine(const std::string& name);

/// errors  array_maker's, where the machine's array is not there for --engine rtl
void require_rtl_array(const Machine& machine, const Arguments& arguments);

}  // namespace bitpulse
