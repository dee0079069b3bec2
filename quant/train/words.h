// SPDX-License-Identifier: Apache-2.0
#pragma once

// The words of a command line of bitpulse-train: one workload, options with a value each, --help.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/io/json.h"

namespace bitpulse {

class Words {
 public:
  /// errors (of all members)  kUsage: what the command line has too much, too little or wrong
  Words(const std::vector<std::string>& words, const std::vector<std::string_view>& options);

  bool help() const { return help_; }
  const std::string& workload() const;
  std::string text(const std::string& option, const std::string& fallback) const;
  std::string required(const std::string& option) const;
  std::int64_t integer(const std::string& option, std::int64_t fallback, std::int64_t min,
                       std::int64_t max) const;
  double number(const std::string& option, double fallback, double min, double max) const;
  double seconds(const std::string& option, double fallback) const;
  /// --threads, or all the machine has; no more than OMP_THREAD_LIMIT.
  int threads() const;
  /// Of --set; "workload:" before a pointer is accepted.
  std::vector<JsonOverride> overrides() const;

 private:
  bool help_ = false;
  std::string workload_;
  std::map<std::string, std::vector<std::string>> values_;
};

/// A workload by path or shipped name, overrides applied. errors  load_json's
JsonValue load_workload(const std::string& name, const std::vector<JsonOverride>& overrides);

}  // namespace bitpulse
