// SPDX-License-Identifier: Apache-2.0
#pragma once

// A shipped JSON schema (draft 7) as a judge beside the reader of the same files. The validator is
// a header that takes 20 s to compile, so it is compiled once.

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace bitpulse {

class Schema {
 public:
  /// `name` of workloads/schemas/<name>.schema.json
  explicit Schema(const std::string& name);
  ~Schema();
  bool accepts(const nlohmann::json& value) const;
  const nlohmann::json& document() const;

 private:
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace bitpulse
