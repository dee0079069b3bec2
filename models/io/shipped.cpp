// SPDX-License-Identifier: Apache-2.0
#include "models/io/shipped.h"

#include <algorithm>
#include <filesystem>
#include <new>

#include "models/error.h"
#include "models/io/files.h"
#include "models/text.h"

namespace bitpulse {
namespace fs = std::filesystem;

std::string shipped_folder() {
  static const std::string folder = [] {
    std::error_code ignored;
    const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
    const fs::path installed = program.parent_path().parent_path() / BITPULSE_INSTALLED_DATA;
    return fs::is_directory(installed, ignored) ? installed.string() : BITPULSE_SOURCE_DATA;
  }();
  return folder;
}

std::vector<std::string> shipped_names(std::string_view kind) {
  std::vector<std::string> names;
  const fs::path folder = fs::path(shipped_folder()) / kind;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  if (error == std::errc::not_enough_memory) throw std::bad_alloc();
  if (error) throw Error(ErrorKind::kIo, folder.string() + ": cannot list: " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

std::string find_file(const std::string& name, std::string_view kind, const std::string& folder) {
  const fs::path given = folder.empty() ? fs::path(name) : fs::path(folder) / name;
  const std::string other = no_file_but(given.string());
  std::error_code ignored;
  if (other.empty() && fs::exists(given, ignored)) return given.string();

  // "machines/x", "x" and "x.json" all name shipped machine x; nothing else leaves the folder.
  fs::path wanted = name;
  if (wanted.extension() == ".json") wanted.replace_extension();
  if (!kind.empty() && wanted.parent_path() == kind) wanted = wanted.filename();
  if (wanted == wanted.filename() && name.find('\0') == std::string::npos) {
    const fs::path shipped = fs::path(shipped_folder()) / kind / (wanted.string() + ".json");
    if (fs::is_regular_file(shipped, ignored)) return shipped.string();
  }
  const std::vector<std::string> names = shipped_names(kind);
  const std::vector<std::string_view> known(names.begin(), names.end());
  throw Error(ErrorKind::kInvalidInput,
              printable(given.string(), 400) + ": found " +
                  (other.empty() ? "no such file" : other) + ", and nothing of this name under " +
                  (kind.empty() ? "workloads" : std::string(kind)) +
                  "; expected a file or one of: " + join(known) + did_you_mean(name, known));
}

}  // namespace bitpulse
