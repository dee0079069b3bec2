// SPDX-License-Identifier: Apache-2.0
#include "quant/train/words.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <thread>

#include "models/error.h"
#include "models/io/shipped.h"
#include "models/text.h"

namespace bitpulse {

namespace {

constexpr std::int64_t kMaxThreads = 1024;
constexpr double kLeastSeconds = 1e-9, kMostSeconds = 1e9;

[[noreturn]] void refuse(const std::string& option, const std::string& value,
                         const std::string& expected) {
  throw Error(ErrorKind::kUsage,
              option + ": found \"" + printable(value) + "\", expected " + expected);
}

JsonOverride override_of(std::string value) {
  constexpr std::string_view kPrefix = "workload:";
  if (value.compare(0, kPrefix.size(), kPrefix) == 0) value.erase(0, kPrefix.size());
  const std::size_t equals = value.find('=');
  if (value.empty() || value[0] != '/' || equals == std::string::npos)
    refuse("--set", value, "/pointer=value");
  return {value.substr(0, equals), value.substr(equals + 1)};
}

}  // namespace

Words::Words(const std::vector<std::string>& words, const std::vector<std::string_view>& options) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--help") {
      help_ = true;
    } else if (word.compare(0, 2, "--") != 0) {
      if (!workload_.empty())
        throw Error(ErrorKind::kUsage, "found a second workload \"" + printable(word) + "\"");
      workload_ = word;
    } else {
      if (std::find(options.begin(), options.end(), word) == options.end())
        throw Error(ErrorKind::kUsage,
                    "unknown option \"" + printable(word) + "\"" + did_you_mean(word, options));
      if (i + 1 == words.size()) throw Error(ErrorKind::kUsage, word + ": its value is missing");
      values_[word].push_back(words[++i]);
    }
  }
}

const std::string& Words::workload() const {
  if (workload_.empty())
    throw Error(ErrorKind::kUsage, "the workload is missing; see bitpulse-train --help");
  return workload_;
}

std::string Words::text(const std::string& option, const std::string& fallback) const {
  const auto found = values_.find(option);
  return found == values_.end() ? fallback : found->second.back();
}

std::string Words::required(const std::string& option) const {
  const std::string value = text(option, "");
  if (value.empty())
    throw Error(ErrorKind::kUsage, option + " is missing; see bitpulse-train --help");
  return value;
}

std::int64_t Words::integer(const std::string& option, std::int64_t fallback, std::int64_t min,
                            std::int64_t max) const {
  if (values_.count(option) == 0) return fallback;
  const std::string value = text(option, "");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < min || number > max)
    refuse(option, value, std::to_string(min) + ".." + std::to_string(max));
  return number;
}

double Words::number(const std::string& option, double fallback, double min, double max) const {
  if (values_.count(option) == 0) return fallback;
  const std::string value = text(option, "");
  char* end = nullptr;
  const double number = std::strtod(value.c_str(), &end);
  if (value.empty() || *end != '\0' || !(number >= min && number <= max))
    refuse(option, value, "a number in its range; see bitpulse-train --help");
  return number;
}

double Words::seconds(const std::string& option, double fallback) const {
  return number(option, fallback, kLeastSeconds, kMostSeconds);
}

int Words::threads() const {
  const auto all = static_cast<std::int64_t>(std::max(std::thread::hardware_concurrency(), 1u));
  const auto wanted = static_cast<int>(integer("--threads", all, 1, kMaxThreads));
  // oneDNN waits for ever for the threads that OpenMP's own limit keeps back.
  const char* const limit = std::getenv("OMP_THREAD_LIMIT");
  return limit == nullptr ? wanted : std::min(wanted, std::max(std::atoi(limit), 1));
}

std::vector<JsonOverride> Words::overrides() const {
  std::vector<JsonOverride> overrides;
  const auto found = values_.find("--set");
  if (found == values_.end()) return overrides;
  std::transform(found->second.begin(), found->second.end(), std::back_inserter(overrides),
                 override_of);
  return overrides;
}

JsonValue load_workload(const std::string& name, const std::vector<JsonOverride>& overrides) {
  JsonValue document = load_json(find_file(name, ""));
  return overrides.empty() ? document : override_json(document, overrides);
}

}  // namespace bitpulse
