// SPDX-License-Identifier: Apache-2.0
#pragma once

// A Verilated array in the cache: a folder with its shared library and a JSON document
// ("bitpulse/rtl-array/1") that says what it was made from, by which and whether it still is what
// its files say.

#include <string>
#include <vector>

#include "sim/rtl/array_recipe.h"

namespace bitpulse::rtl {

struct SourceFile {
  std::string path;  // relative: below rtl_folder()
  std::string sha256;
};

struct StoredArray {
  ArrayRecipe recipe;
  std::string verilator, compiler;  // their versions
  std::string headers;              // include_digest()
  std::string processor;            // this_processor(), or "any"
  std::vector<SourceFile> files;    // all that Verilator read
  std::string folder;               // not in the document

  std::string library() const { return folder + "/array.so"; }
};

/// A digest of what the processor can do.
std::string this_processor();

/// Why the array cannot be used now: "built from other sources: a.sv". Empty: it can.
std::string obstacle(const StoredArray& array);

/// The document as JSON text.
std::string to_json(const StoredArray& array);

/// Reads what to_json wrote into `folder`.
///
/// errors  Error: as load_json, or wrong keys or values
StoredArray read_stored_array(const std::string& folder);
inline constexpr const char* kArrayDocument = "array.json";

}  // namespace bitpulse::rtl
