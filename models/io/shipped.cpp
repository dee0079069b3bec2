// SPDX-License-Identifier: Apache-2.0
#include "models/io/shipped.h"

#include <algorithm>
#include <filesystem>

#include "models/error.h"

namespace bitpulse {
namespace fs = std::filesystem;

std::string shipped_folder() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  const fs::path installed = program.parent_path().parent_path() / BITPULSE_INSTALLED_DATA;
  return fs::is_directory(installed, ignored) ? installed.string() : BITPULSE_SOURCE_DATA;
}

std::vector<std::string> shipped_names(std::string_view kind) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(fs::path(shipped_folder()) / kind, ignored)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string find_file(const std::string& name, std::string_view kind, const std::string& folder) {
  std::error_code ignored;
  const fs::path given = folder.empty() ? fs::path(name) : fs::path(folder) / name;
  if (fs::is_regular_file(given, ignored)) return given.string();

  // "machines/x", "x" and "x.json" all name shipped machine x; nothing else leaves the folder.
  fs::path wanted = name;
  if (wanted.extension() == ".json") wanted.replace_extension();
  if (!kind.empty() && wanted.parent_path() == kind) wanted = wanted.filename();
  const std::vector<std::string> names = shipped_names(kind);
  if (std::find(names.begin(), names.end(), wanted.string()) != names.end()) {
    return (fs::path(shipped_folder()) / kind / (wanted.string() + ".json")).string();
  }
  std::string known;
  for (const std::string& shipped : names) known += (known.empty() ? "" : ", ") + shipped;
  throw Error(ErrorKind::kInvalidInput, given.string() +
                                            ": found no such file, and none is shipped as " +
                                            (kind.empty() ? "workload" : std::string(kind)) +
                                            " of this name; expected a file or one of: " + known);
}

}  // namespace bitpulse
