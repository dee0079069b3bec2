// SPDX-License-Identifier: Apache-2.0
#pragma once

// Makes the shared library of an array: Verilator writes C++, the compiler makes a library of it
// and of Verilator's own runtime. The compiler is $CXX where that is set, else the program's own.

#include <functional>
#include <string>
#include <vector>

#include "sim/rtl/stored_array.h"

namespace bitpulse::rtl {

class ArrayBuilder {
 public:
  /// Finds the tools and the sources.
  ///
  /// errors  Error(kIo): no Verilator or no compiler; Error(kInvalidInput): no such source
  explicit ArrayBuilder(ArrayRecipe recipe);

  /// Digest of everything that decides the library: the recipe, the contents of the sources that it
  /// names, the headers, the tools' versions and options, the processor.
  const std::string& key() const { return key_; }

  /// Writes the library into `folder`, which is empty before, and what the tools say to the file
  /// `log`. Returns what belongs into the folder's document.
  ///
  /// errors  as ArrayStore::build
  StoredArray build(const std::string& folder, const std::string& log,
                    const std::function<void(const std::string&)>& say) const;

 private:
  void run(const std::vector<std::vector<std::string>>& commands, const std::string& log) const;
  std::vector<std::string> verilator_command(const std::string& folder) const;

  ArrayRecipe recipe_;
  std::vector<std::string> compiler_;  // with its options
  std::vector<std::string> sources_;   // absolute paths
  StoredArray result_;
  std::string key_;
};

}  // namespace bitpulse::rtl
