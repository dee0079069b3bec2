// SPDX-License-Identifier: Apache-2.0
#pragma once

// The JSON files that come with the program (workloads, machines, technologies, DRAM timing sets,
// schemas), so that they can be named without a path: "int8-32x32-ws" or "machines/int8-32x32-ws".

#include <string>
#include <string_view>
#include <vector>

namespace bitpulse {

/// workloads/ of the source tree, or share/bitpulse of an installation.
std::string shipped_folder();

/// Names (without folder and ".json") of the shipped files of a kind, sorted. `kind` is a
/// subfolder:
/// "" (workloads), "machines", "technologies", "dram".
std::vector<std::string> shipped_names(std::string_view kind);

/// The file that `name` means: an existing file, relative to `folder` ("": the working directory),
/// else the shipped file of that kind.
///
/// errors  kInvalidInput: neither is there; says what lies there instead and which names exist
std::string find_file(const std::string& name, std::string_view kind,
                      const std::string& folder = "");

}  // namespace bitpulse
