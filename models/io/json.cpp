// SPDX-License-Identifier: Apache-2.0
#include "models/io/json.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "models/error.h"
#include "models/io/json_parser.h"
#include "models/text.h"

namespace bitpulse {

using Json = nlohmann::ordered_json;

struct JsonValue::Document {
  std::string file;
  Json root;
};

namespace {

/// What a message says about a value: its text where it is short, else its kind and size.
std::string describe(const Json& value) {
  if (value.is_object()) {
    return "an object of " + std::to_string(value.size()) + (value.size() == 1 ? " key" : " keys");
  }
  if (value.is_array()) {
    return "an array of " + std::to_string(value.size()) +
           (value.size() == 1 ? " value" : " values");
  }
  if (value.is_string()) return "\"" + printable(value.get_ref<const std::string&>()) + "\"";
  return value.dump();
}

std::string number_text(double value) { return Json(value).dump(); }

std::string quoted_list(const std::vector<std::string_view>& names) {
  std::string list;
  for (const std::string_view name : names) {
    list += (list.empty() ? "\"" : ", \"") + std::string(name) + "\"";
  }
  return list;
}

}  // namespace

JsonValue::JsonValue(std::shared_ptr<const Document> document, const Json* value,
                     std::string pointer)
    : document_(std::move(document)), value_(value), pointer_(std::move(pointer)) {}

const std::string& JsonValue::file() const { return document_->file; }
std::string JsonValue::pointer() const { return pointer_; }

bool JsonValue::is_object() const { return value_->is_object(); }
bool JsonValue::is_array() const { return value_->is_array(); }
bool JsonValue::is_string() const { return value_->is_string(); }
bool JsonValue::is_number() const { return value_->is_number(); }
bool JsonValue::is_integer() const { return value_->is_number_integer(); }
bool JsonValue::is_boolean() const { return value_->is_boolean(); }

const Json& JsonValue::object() const {
  if (!value_->is_object()) fail("an object");
  return *value_;
}

bool JsonValue::has(std::string_view key) const { return find(key).has_value(); }

JsonValue JsonValue::at(std::string_view key) const {
  std::optional<JsonValue> value = find(key);
  if (!value) {
    fail_at(pointer_, "no key '" + printable(key) + "'", "it to be there");
  }
  return *std::move(value);
}

std::optional<JsonValue> JsonValue::find(std::string_view key) const {
  const Json& value = object();
  const auto found = value.find(key);
  if (found == value.end()) return std::nullopt;
  return JsonValue(document_, &*found, pointer_ + "/" + pointer_token(key));
}

std::vector<std::string> JsonValue::keys() const {
  std::vector<std::string> names;
  for (const auto& item : object().items()) names.push_back(item.key());
  return names;
}

std::vector<std::pair<std::string, JsonValue>> JsonValue::object_items() const {
  std::vector<std::pair<std::string, JsonValue>> items;
  for (const auto& item : object().items()) {
    JsonValue value(document_, &item.value(), pointer_ + "/" + pointer_token(item.key()));
    items.emplace_back(item.key(), std::move(value));
  }
  return items;
}

void JsonValue::only_keys(std::initializer_list<std::string_view> allowed) const {
  only_keys(std::vector<std::string_view>(allowed));
}

void JsonValue::only_keys(const std::vector<std::string_view>& allowed) const {
  for (const auto& item : object().items()) {
    if (std::find(allowed.begin(), allowed.end(), item.key()) != allowed.end()) continue;
    fail_at(pointer_ + "/" + pointer_token(item.key()),
            "unknown key '" + printable(item.key()) + "'",
            "one of " + join(allowed) + did_you_mean(item.key(), allowed));
  }
}

std::size_t JsonValue::size() const {
  if (!value_->is_array() && !value_->is_object()) fail("an array");
  return value_->size();
}

JsonValue JsonValue::operator[](std::size_t index) const {
  if (!value_->is_array()) fail("an array");
  if (index >= value_->size()) fail("at least " + std::to_string(index + 1) + " values");
  return JsonValue(document_, &(*value_)[index], pointer_ + "/" + std::to_string(index));
}

std::int64_t JsonValue::integer(std::int64_t min, std::int64_t max) const {
  const std::string expected = "an integer in " + std::to_string(min) + ".." + std::to_string(max);
  if (!value_->is_number_integer()) fail(expected);
  // What does not fit 64 bits signed is unsigned here, and too large.
  if (value_->is_number_unsigned() && value_->get<std::uint64_t>() > INT64_MAX) fail(expected);
  const auto value = value_->get<std::int64_t>();
  if (value < min || value > max) fail(expected);
  return value;
}

double JsonValue::number(double min, double max) const {
  const std::string expected = "a number in " + number_text(min) + ".." + number_text(max);
  if (!value_->is_number()) fail(expected);
  const auto value = value_->get<double>();
  if (!(value >= min && value <= max)) fail(expected);
  return value;
}

bool JsonValue::boolean() const {
  if (!value_->is_boolean()) fail("true or false");
  return value_->get<bool>();
}

std::string JsonValue::text() const {
  if (!value_->is_string()) fail("a string");
  return value_->get<std::string>();
}

std::string JsonValue::path() const {
  namespace fs = std::filesystem;
  constexpr std::size_t kMaxPath = 4096;
  const std::string name = text();
  if (name.empty() || utf8_size(name) > kMaxPath || name.find('\0') != std::string::npos) {
    fail("a path of 1.." + std::to_string(kMaxPath) + " characters");
  }
  return fs::absolute(fs::path(file()).parent_path() / name).lexically_normal().string();
}

std::size_t JsonValue::choice(std::initializer_list<std::string_view> allowed) const {
  return choice(std::vector<std::string_view>(allowed));
}

std::size_t JsonValue::choice(const std::vector<std::string_view>& names) const {
  const std::string expected = "one of " + quoted_list(names);
  if (!value_->is_string()) fail(expected);
  const auto& value = value_->get_ref<const std::string&>();
  const auto found = std::find(names.begin(), names.end(), value);
  if (found == names.end()) fail(expected + did_you_mean(value, names));
  return static_cast<std::size_t>(found - names.begin());
}

void JsonValue::require_schema(std::string_view expected) const {
  const JsonValue schema = at("schema");
  if (schema.text() != expected) schema.fail("\"" + std::string(expected) + "\"");
}

void JsonValue::fail(const std::string& expected) const {
  fail_at(pointer_, describe(*value_), expected);
}

void JsonValue::fail_at(const std::string& where, const std::string& found,
                        const std::string& expected) const {
  throw Error(ErrorKind::kInvalidInput,
              place(where) + ": found " + found + ", expected " + expected);
}

void JsonValue::fail_with(const Error& error) const {
  throw Error(error.kind(), place(pointer_) + ": " + error.what());
}

std::string JsonValue::place(const std::string& where) const {
  return printable(file(), 400) + ": at " +
         (where.empty() ? "the top level" : printable(where, 200));
}

const Json& JsonValue::raw() const { return *value_; }
std::string JsonValue::raw_text() const { return value_->dump(); }

JsonValue load_json(const std::string& path, const JsonLimits& limits) {
  return parse_json(read_file(path, limits.bytes), path, limits);
}

JsonValue parse_json(std::string_view text, const std::string& file, const JsonLimits& limits) {
  auto document = std::make_shared<JsonValue::Document>();
  document->file = file;
  document->root = parse_document(text, file, limits);
  const Json* root = &document->root;
  return JsonValue(std::move(document), root, "");
}

}  // namespace bitpulse
