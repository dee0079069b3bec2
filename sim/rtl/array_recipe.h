// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a Verilated array is made from: one of ours by its shape, or a user's own by its
// SystemVerilog files. `bitpulse rtl build` fills it in.

#include <string>
#include <vector>

#include "sim/rtl/array_model.h"

namespace bitpulse::rtl {

/// A user's array with the ports of rtl/README.md.
struct UserArray {
  std::string name;  // by which it is asked for; "": the recipe is for one of our own arrays
  std::string top;
  std::vector<std::string> sources;          // absolute paths, as Verilator reads them
  std::vector<std::string> include_folders;  // absolute paths
  std::vector<std::string> parameters;       // of the top, "Name=Value"

  friend bool operator==(const UserArray& a, const UserArray& b) {
    return a.name == b.name && a.top == b.top && a.sources == b.sources &&
           a.include_folders == b.include_folders && a.parameters == b.parameters;
  }
};

struct ArrayRecipe {
  ArrayShape shape;
  Trace trace = Trace::kNone;
  bool native = true;  // for this machine's processor; else for any of its kind
  UserArray user;

  /// The module to Verilate and its parameters.
  std::string top() const;
  std::vector<std::string> parameters() const;
  /// "ws_int8_3x7", "booth_ws_int8_4x3_fst": for folders and messages.
  std::string label() const;
  /// The command that builds it.
  std::string command() const;
};

const char* to_string(Trace trace);  // "none", "vcd", "fst"

}  // namespace bitpulse::rtl
