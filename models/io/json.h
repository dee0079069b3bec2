// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one place where JSON is parsed. A document is read whole, bounded (size, depth, number of
// values, string length), free of NUL bytes and duplicate keys; // and /* */ comments are accepted,
// trailing commas are not. Values are then taken through typed getters that check kind and range
// and answer with file, JSON pointer, found and expected.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/io/files.h"

namespace bitpulse {

class Error;

struct JsonLimits {
  std::uint64_t bytes = 64ull << 20;
  std::uint32_t depth = 64;
  std::uint64_t values = 2'000'000;
  std::uint64_t string_bytes = 1 << 20;
};

/// A value inside a document, which it keeps alive; knows its file and JSON pointer.
class JsonValue {
 public:
  const std::string& file() const;
  std::string pointer() const;

  bool is_object() const;
  bool is_array() const;
  bool is_string() const;
  bool is_number() const;
  bool is_integer() const;
  bool is_boolean() const;

  /// Object access. at() fails where the key is missing; only_keys() fails on any other key, with
  /// the nearest name as a hint; keys() are in the document's order. All fail on a non-object.
  bool has(std::string_view key) const;
  JsonValue at(std::string_view key) const;
  std::optional<JsonValue> find(std::string_view key) const;
  std::vector<std::string> keys() const;
  /// All keys with their values, in linear time.
  std::vector<std::pair<std::string, JsonValue>> object_items() const;
  void only_keys(std::initializer_list<std::string_view> allowed) const;
  void only_keys(const std::vector<std::string_view>& allowed) const;

  /// Array access. size() is also the number of keys of an object.
  std::size_t size() const;
  JsonValue operator[](std::size_t index) const;

  /// Scalars. Numbers are never converted: 8.7, true or "8" is no integer.
  std::int64_t integer(std::int64_t min, std::int64_t max) const;
  double number(double min, double max) const;
  bool boolean() const;
  std::string text() const;
  /// The absolute form of a path that starts at the document's folder.
  std::string path() const;
  /// One of `allowed`, as its index.
  std::size_t choice(std::initializer_list<std::string_view> allowed) const;
  std::size_t choice(const std::vector<std::string_view>& allowed) const;

  /// Fails unless the root says "schema": `expected`.
  void require_schema(std::string_view expected) const;

  /// Throws Error(kInvalidInput) "file: at /pointer: found ..., expected ...". What was found is
  /// described and cut short, never printed whole.
  [[noreturn]] void fail(const std::string& expected) const;
  /// Throws `error` again, with "file: at /pointer: " before its text.
  [[noreturn]] void fail_with(const Error& error) const;

  /// The value itself, keys in the document's order: for those who store or echo it.
  const nlohmann::ordered_json& raw() const;
  /// The value as compact JSON text.
  std::string raw_text() const;

 private:
  struct Document;
  friend JsonValue parse_json(std::string_view, const std::string&, const JsonLimits&);
  JsonValue(std::shared_ptr<const Document> document, const nlohmann::ordered_json* value,
            std::string pointer);
  const nlohmann::ordered_json& object() const;
  std::string place(const std::string& where) const;
  [[noreturn]] void fail_at(const std::string& where, const std::string& found,
                            const std::string& expected) const;

  std::shared_ptr<const Document> document_;
  const nlohmann::ordered_json* value_ = nullptr;
  std::string pointer_;
};

/// errors  kIo: unreadable; kLimit: too large, deep or long; kInvalidInput: no such file, and
///         otherwise with line and column
JsonValue load_json(const std::string& path, const JsonLimits& limits = {});
JsonValue parse_json(std::string_view text, const std::string& file, const JsonLimits& limits = {});

/// The document with "--set"-style overrides applied: {"/array/rows", "32"}; a value that is no
/// JSON is taken as a string. The pointer's parent must exist.
struct JsonOverride {
  std::string pointer;
  std::string value;
};
JsonValue override_json(const JsonValue& root, const std::vector<JsonOverride>& overrides);

}  // namespace bitpulse
