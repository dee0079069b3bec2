// SPDX-License-Identifier: Apache-2.0
#pragma once

// The cache of Verilated arrays: one folder per array, named by what it is and a digest of all that
// made it. A folder appears whole or not at all; processes that build the same array at once wait
// for the first one's.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/rtl/stored_array.h"

namespace bitpulse::rtl {

struct BuildResult {
  StoredArray array;
  bool built = false;  // false: it was there
};

class ArrayStore {
 public:
  /// `folder` need not exist.
  explicit ArrayStore(std::string folder) : folder_(std::move(folder)) {}
  const std::string& folder() const { return folder_; }

  /// All that can be read, sorted by label; usable or not.
  std::vector<StoredArray> list() const;

  /// The newest usable array of this shape and trace: a user's by its name, "": one of ours.
  ///
  /// errors  Error(kInvalidInput): two different usable arrays have the name
  std::optional<StoredArray> find(const std::string& name, const ArrayShape& shape,
                                  Trace trace) const;

  /// Makes sure that the array is there. `say` hears what is being done, for people who wait.
  ///
  /// errors  Error(kInvalidInput): Verilator or the compiler refuse it, with the end of what they
  ///         said, or its ports are not those of rtl/README.md; Error(kIo): no Verilator, no
  ///         compiler, or the folder cannot be written
  BuildResult build(const ArrayRecipe& recipe,
                    const std::function<void(const std::string&)>& say) const;

 private:
  std::string folder_;
};

}  // namespace bitpulse::rtl
