// SPDX-License-Identifier: Apache-2.0
#include "models/io/json_parser.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>
#include <vector>

#include "models/error.h"
#include "models/text.h"

namespace bitpulse {
namespace {

using Json = nlohmann::ordered_json;

/// A pointer that leaves behind how far the lexer has read.
class TrackedIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  TrackedIterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  TrackedIterator operator++(int) {
    const TrackedIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const TrackedIterator& a, const TrackedIterator& b) {
    return a.at_ == b.at_;
  }
  friend bool operator!=(const TrackedIterator& a, const TrackedIterator& b) { return !(a == b); }

 private:
  const char* at_;
  const char** reached_;
};

/// Builds the document; throws as soon as a limit is broken or a key comes twice.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string_view text, const std::string& file, const JsonLimits& limits)
      : text_(text), file_(file), limits_(limits), reached_(text.data()) {}

  TrackedIterator begin() { return {text_.data(), &reached_}; }
  TrackedIterator end() { return {text_.data() + text_.size(), &reached_}; }
  Json take() { return std::move(root_); }

  /// Fails at the last of the first `read` bytes.
  [[noreturn]] void fail(ErrorKind kind, std::size_t read, const std::string& what) const {
    const std::size_t offset = std::min(read, text_.size());
    const std::string_view before = text_.substr(0, offset == 0 ? 0 : offset - 1);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
    throw Error(kind, printable(file_, 400) + ":" + std::to_string(line) + ":" +
                          std::to_string(column) + ": " + what);
  }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override {
    check_length(value);
    return add(std::move(value));
  }
  bool binary(binary_t&) override { return false; }  // does not occur in text

  bool start_object(std::size_t) override { return open(true); }
  bool key(string_t& name) override {
    check_length(name);
    Frame& frame = frames_.back();
    if (!frame.seen.insert(name).second) {
      fail(ErrorKind::kInvalidInput, reached(),
           "found key '" + printable(name) + "' twice" + place() + ", expected each key once");
    }
    frame.keys.push_back(std::move(name));
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(false); }
  bool end_array() override { return close(); }

  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception& error) override {
    constexpr int kNumberOverflow = 406;
    if (error.id == kNumberOverflow) {
      fail(ErrorKind::kInvalidInput, position,
           "found number " + printable(token) + ", expected one that a 64-bit float holds");
    }
    // what() is "[json.exception...] parse error at line 1, column 2: syntax error while ..."
    const std::string what = error.what();
    const std::size_t found = what.find(": ");
    fail(ErrorKind::kInvalidInput, position,
         printable(found == std::string::npos ? what : what.substr(found + 2), 200));
  }

 private:
  /// An array or object that is still open.
  struct Frame {
    bool is_object;
    std::vector<std::string> keys;
    std::vector<Json> values;
    std::unordered_set<std::string> seen;
  };

  std::size_t reached() const { return static_cast<std::size_t>(reached_ - text_.data()); }

  std::string place() const {
    std::string pointer;
    for (std::size_t i = 0; i + 1 < frames_.size(); ++i) {
      const Frame& frame = frames_[i];
      pointer += "/" + (frame.is_object ? pointer_token(frame.keys.back())
                                        : std::to_string(frame.values.size()));
    }
    return pointer.empty() ? "" : " at " + printable(pointer, 200);
  }

  void check_length(const std::string& value) const {
    if (value.size() > limits_.string_bytes) {
      fail(ErrorKind::kLimit, reached(),
           "found a string of " + std::to_string(value.size()) + " bytes, expected at most " +
               std::to_string(limits_.string_bytes));
    }
  }
  void count_value() {
    if (++values_ > limits_.values) {
      fail(ErrorKind::kLimit, reached(),
           "found more than " + std::to_string(limits_.values) + " values");
    }
  }
  bool add(Json&& value) {
    count_value();
    store(std::move(value));
    return true;
  }
  void store(Json&& value) {
    if (frames_.empty()) {
      root_ = std::move(value);
    } else {
      frames_.back().values.push_back(std::move(value));
    }
  }
  bool open(bool is_object) {
    count_value();
    if (frames_.size() >= limits_.depth) {
      fail(ErrorKind::kLimit, reached(),
           "found nesting deeper than " + std::to_string(limits_.depth) + " levels");
    }
    frames_.push_back({is_object, {}, {}, {}});
    return true;
  }
  bool close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.is_object) {
      Json::object_t object;
      object.reserve(frame.keys.size());
      for (std::size_t i = 0; i < frame.keys.size(); ++i) {
        // The vector below: ordered_map's own emplace searches all keys each time.
        object.emplace_back(std::move(frame.keys[i]), std::move(frame.values[i]));
      }
      store(Json(std::move(object)));
    } else {
      store(Json(std::move(frame.values)));
    }
    return true;
  }

  std::string_view text_;
  const std::string& file_;
  const JsonLimits& limits_;
  const char* reached_;
  std::uint64_t values_ = 0;
  std::vector<Frame> frames_;
  Json root_;
};

}  // namespace

nlohmann::ordered_json parse_document(std::string_view text, const std::string& file,
                                      const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    throw Error(ErrorKind::kLimit, printable(file, 400) + ": found " + std::to_string(text.size()) +
                                       " bytes, expected at most " + std::to_string(limits.bytes));
  }
  Builder builder(text, file, limits);
  // The lexer takes NUL for the end of the text and would ignore what follows.
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    builder.fail(ErrorKind::kInvalidInput, nul + 1, "found a NUL byte, expected text");
  }
  Json::sax_parse(builder.begin(), builder.end(), &builder, nlohmann::detail::input_format_t::json,
                  true, true);
  return builder.take();
}

}  // namespace bitpulse
