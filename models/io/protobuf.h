// SPDX-License-Identifier: Apache-2.0
#pragma once

// Protobuf's encoding (https://protobuf.dev/programming-guides/encoding), message by message over
// bytes that are already in memory: nothing is copied, nested or believed before it is asked for.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bitpulse {

/// The file that messages lie in.
struct ProtobufSource {
  const std::string& path;
  std::string_view bytes;

  /// Error(kInvalidInput) "path: what".
  [[noreturn]] void fail(const std::string& what) const;
  /// Error(kLimit) "path: found more `what`, expected at most `most`".
  [[noreturn]] void limit(const std::string& what, std::uint64_t most) const;
};

/// The fields of one message, one after the other. A field that is taken as another type than it
/// has, or that reaches beyond its message, is Error(kInvalidInput) with the byte.
class ProtobufMessage {
 public:
  ProtobufMessage(const ProtobufSource& source, std::string_view bytes)
      : source_(source), rest_(bytes) {}

  /// Takes the next field; false at the end.
  bool next();

  std::uint32_t field() const { return field_; }
  std::int64_t integer() const;
  double real() const;  // of 32 bits
  std::string_view bytes() const;
  std::string text() const { return std::string(bytes()); }
  ProtobufMessage message() const { return {source_, bytes()}; }
  /// Adds an integer, or a packed run of them. errors kLimit: `most` or more
  void append_to(std::vector<std::int64_t>& list, std::int64_t most) const;
  /// Adds the bytes of fixed-size numbers, one or packed, or of plain bytes.
  void append_to(std::vector<std::uint8_t>& list) const;

 private:
  [[noreturn]] void fail(const std::string& found, const std::string& expected) const;
  void expect(std::uint32_t type, const char* what) const;
  std::string_view take(std::uint64_t count);
  std::uint64_t varint();

  const ProtobufSource& source_;
  std::string_view rest_, bytes_;
  std::uint32_t field_ = 0, type_ = 0;
  std::uint64_t number_ = 0;
};

}  // namespace bitpulse
