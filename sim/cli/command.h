// SPDX-License-Identifier: Apache-2.0
#pragma once

// A subcommand: what it takes, what it is for, and the function that does it. The help text and
// the parser are made from the same description, so neither can drift. Options may stand before or
// after the positional arguments and are never matched by a prefix.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bitpulse {

struct OptionSpec {
  const char* name;      // without dashes
  const char* argument;  // nullptr: a flag
  const char* help;
};

/// The values of one command line.
class Arguments {
 public:
  bool has(std::string_view option) const;
  /// The last value given, or `fallback`.
  std::string text(std::string_view option, const std::string& fallback = "") const;
  std::vector<std::string> all(std::string_view option) const;
  /// errors  kUsage: no integer, or outside min..max
  std::int64_t integer(std::string_view option, std::int64_t fallback, std::int64_t min,
                       std::int64_t max) const;
  const std::vector<std::string>& positional() const { return positional_; }

 private:
  friend Arguments parse_arguments(const struct Subcommand&, const std::vector<std::string>&);
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> positional_;
};

struct Subcommand {
  const char* name;
  const char* synopsis;  // after the name: "WORKLOAD --machine MACHINE [options]"
  const char* summary;
  std::size_t min_positional, max_positional;
  std::vector<OptionSpec> options;
  std::vector<const char*> examples;
  int (*run)(const Arguments&);  // returns the exit status
};

/// errors  kUsage: unknown option (with the nearest name), missing value, wrong number of arguments
Arguments parse_arguments(const Subcommand& command, const std::vector<std::string>& words);

/// At most 80 columns wide, ending with the examples.
std::string help(const Subcommand& command);

/// The command line in one fixed order, quoted for a shell, without the options in `omitted`.
std::string spelled(const Subcommand& command, const Arguments& arguments,
                    const std::vector<std::string_view>& omitted);

// The subcommands, one file each.
Subcommand allocate_command();
Subcommand run_command();
Subcommand quantize_command();
Subcommand eval_command();
Subcommand cosim_command();
Subcommand report_command();
Subcommand compare_command();
Subcommand list_command();
Subcommand sensitivity_command();
Subcommand sweep_command();
Subcommand validate_command();
Subcommand rtl_command();
Subcommand version_command();

}  // namespace bitpulse
