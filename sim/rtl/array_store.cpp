// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/array_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "models/error.h"
#include "models/io/files.h"
#include "models/text.h"
#include "sim/rtl/array_builder.h"

namespace bitpulse::rtl {
namespace fs = std::filesystem;
namespace {

/// Held by the one process that builds an array; gone with it.
class Lock {
 public:
  Lock(const std::string& path, const std::function<void()>& waits)
      : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (file_ < 0) {
      throw Error(ErrorKind::kIo, printable(path, 400) + ": cannot lock: " + std::strerror(errno));
    }
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
    waits();
    while (::flock(file_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~Lock() { ::close(file_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int file_;
};

constexpr const char* kDraft = ".draft-";

/// What processes left that were ended while they built this array. (A compiler of theirs may still
/// run, so a name is not used again.)
void remove_drafts(const std::string& folder) {
  const std::string prefix = fs::path(folder).filename().string() + kDraft;
  std::vector<fs::path> drafts;
  for (const auto& entry : fs::directory_iterator(fs::path(folder).parent_path())) {
    if (entry.path().filename().string().rfind(prefix, 0) == 0) drafts.push_back(entry.path());
  }
  for (const fs::path& draft : drafts) fs::remove_all(draft);
}

std::optional<StoredArray> read_usable(const std::string& folder) {
  if (!fs::exists(fs::path(folder) / kArrayDocument)) return std::nullopt;
  try {
    StoredArray array = read_stored_array(folder);
    if (obstacle(array).empty()) return array;
  } catch (const Error&) {
    // Not ours, or another version's: as good as none.
  }
  return std::nullopt;
}

}  // namespace

std::vector<StoredArray> ArrayStore::list() const {
  std::vector<StoredArray> arrays;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    if (!fs::exists(entry.path() / kArrayDocument)) continue;
    try {
      arrays.push_back(read_stored_array(entry.path().string()));
    } catch (const Error&) {
      // Another version's.
    }
  }
  std::sort(arrays.begin(), arrays.end(), [](const StoredArray& a, const StoredArray& b) {
    return std::pair(a.recipe.label(), a.folder) < std::pair(b.recipe.label(), b.folder);
  });
  return arrays;
}

std::optional<StoredArray> ArrayStore::find(const std::string& name, const ArrayShape& shape,
                                            Trace trace) const {
  std::optional<StoredArray> found;
  fs::file_time_type found_time;
  for (StoredArray& array : list()) {
    const ArrayRecipe& recipe = array.recipe;
    if (recipe.user.name != name || !(recipe.shape == shape) || recipe.trace != trace) continue;
    if (!obstacle(array).empty()) continue;
    if (found && !(found->recipe.user == recipe.user)) {
      throw Error(ErrorKind::kInvalidInput, "two arrays are called " + name + ": " +
                                                found->library() + " and " + array.library() +
                                                "; give the path of one");
    }
    std::error_code ignored;
    const auto time = fs::last_write_time(array.library(), ignored);
    if (found && time < found_time) continue;
    found = std::move(array);
    found_time = time;
  }
  return found;
}

BuildResult ArrayStore::build(const ArrayRecipe& recipe,
                              const std::function<void(const std::string&)>& say) const {
  const ArrayBuilder builder(recipe);
  const std::string folder =
      (fs::absolute(folder_) / (recipe.label() + '-' + builder.key())).string();
  if (auto array = read_usable(folder)) return {std::move(*array), false};

  try {
    fs::create_directories(folder_);
    const Lock lock(folder + ".lock",
                    [&] { say("waiting for another build of " + recipe.label()); });
    if (auto array = read_usable(folder)) return {std::move(*array), false};
    remove_drafts(folder);
    const std::string draft = folder + kDraft + std::to_string(::getpid());
    fs::create_directory(draft);
    StoredArray array = builder.build(draft, folder + ".log", say);
    write_file_atomically(draft + '/' + kArrayDocument, to_json(array));
    fs::remove_all(folder);  // stays open where it is in use
    fs::rename(draft, folder);
    fs::remove(folder + ".log");
    array.folder = folder;
    return {std::move(array), true};
  } catch (const fs::filesystem_error& e) {
    throw Error(ErrorKind::kIo, printable(e.what(), 400));
  }
}

}  // namespace bitpulse::rtl
