// SPDX-License-Identifier: Apache-2.0
#include "models/io/protobuf.h"

#include <cstring>

#include "models/error.h"
#include "models/text.h"

namespace bitpulse {
namespace {

enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

}  // namespace

void ProtobufSource::fail(const std::string& what) const {
  throw Error(ErrorKind::kInvalidInput, printable(path, 400) + ": " + what);
}

void ProtobufSource::limit(const std::string& what, std::uint64_t most) const {
  throw Error(ErrorKind::kLimit, printable(path, 400) + ": found more " + what +
                                     ", expected at most " + std::to_string(most));
}

bool ProtobufMessage::next() {
  if (rest_.empty()) return false;
  const std::uint64_t tag = varint();
  field_ = static_cast<std::uint32_t>(tag >> 3);
  type_ = static_cast<std::uint32_t>(tag & 7);
  switch (type_) {
    case kVarint:
      number_ = varint();
      return true;
    case kFixed64:
      bytes_ = take(8);
      return true;
    case kBytes:
      bytes_ = take(varint());
      return true;
    case kFixed32:
      bytes_ = take(4);
      return true;
    default:
      fail("wire type " + std::to_string(type_), "0, 1, 2 or 5");
  }
}

std::int64_t ProtobufMessage::integer() const {
  expect(kVarint, "an integer");
  return static_cast<std::int64_t>(number_);
}

double ProtobufMessage::real() const {
  expect(kFixed32, "a 32-bit float");
  float value = 0;
  std::memcpy(&value, bytes_.data(), sizeof value);
  return static_cast<double>(value);
}

std::string_view ProtobufMessage::bytes() const {
  expect(kBytes, "a text or message");
  return bytes_;
}

void ProtobufMessage::append_to(std::vector<std::int64_t>& list, std::int64_t most) const {
  const auto add = [&](std::uint64_t value) {
    list.push_back(static_cast<std::int64_t>(value));
    if (static_cast<std::int64_t>(list.size()) >= most) {
      source_.limit("integers in a list", static_cast<std::uint64_t>(most - 1));
    }
  };
  if (type_ == kVarint) return add(number_);
  for (ProtobufMessage run(source_, bytes()); !run.rest_.empty();) add(run.varint());
}

void ProtobufMessage::append_to(std::vector<std::uint8_t>& list) const {
  if (type_ == kVarint) fail("an integer", "numbers of fixed size");
  list.insert(list.end(), bytes_.begin(), bytes_.end());
}

void ProtobufMessage::fail(const std::string& found, const std::string& expected) const {
  source_.fail("before byte " + std::to_string(rest_.data() - source_.bytes.data()) + ": found " +
               found + ", expected " + expected);
}

void ProtobufMessage::expect(std::uint32_t type, const char* what) const {
  if (type_ == type) return;
  fail("wire type " + std::to_string(type_) + " in field " + std::to_string(field_), what);
}

std::string_view ProtobufMessage::take(std::uint64_t count) {
  if (count > rest_.size()) {
    fail("a field of " + std::to_string(count) + " bytes",
         "at most the " + std::to_string(rest_.size()) + " that are left");
  }
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::uint64_t ProtobufMessage::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(take(1)[0]);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  fail("an integer of more than 10 bytes", "64 bits");
}

}  // namespace bitpulse
