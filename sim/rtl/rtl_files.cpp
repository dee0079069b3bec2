// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/rtl_files.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "models/error.h"
#include "models/io/sha256.h"
#include "models/io/shipped.h"

namespace bitpulse::rtl {
namespace fs = std::filesystem;
namespace {

bool is_installed() { return fs::is_directory(fs::path(shipped_folder()) / "rtl"); }

}  // namespace

std::string rtl_folder() {
  const fs::path folder =
      fs::path(is_installed() ? shipped_folder() : BITPULSE_SOURCE_ROOT) / "rtl";
  if (!fs::exists(folder / "bitpulse_types.svh")) {
    throw Error(ErrorKind::kInvalidInput,
                folder.string() + ": found no RTL, which comes with the program's other files");
  }
  return folder.string();
}

std::vector<std::string> rtl_sources() {
  const fs::path folder = rtl_folder();
  std::vector<std::string> sources;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".sv") {
      sources.push_back(fs::relative(entry.path(), folder).string());
    }
  }
  std::sort(sources.begin(), sources.end());
  return sources;
}

std::string include_folder() {
  return is_installed() ? shipped_folder() + "/include" : BITPULSE_SOURCE_ROOT;
}

std::string include_digest() {
  std::istringstream names(BITPULSE_ARRAY_HEADERS);
  std::string text;
  for (std::string name; names >> name;) {
    text += name + ' ' + sha256_of_path(include_folder() + '/' + name) + '\n';
  }
  return sha256_of_text(text);
}

}  // namespace bitpulse::rtl
