// SPDX-License-Identifier: Apache-2.0
#pragma once

// ONNX files written field by field, right or wrong as a test needs them.

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace bitpulse::onnx {

inline std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7f) | 0x80);
  return bytes + static_cast<char>(value);
}
inline std::string number(unsigned field, std::int64_t value) {
  return varint(8 * field) + varint(static_cast<std::uint64_t>(value));
}
inline std::string bytes(unsigned field, const std::string& content) {
  return varint(8 * field + 2) + varint(content.size()) + content;
}
inline std::string real(unsigned field, float value) {
  std::string text(4, ' ');
  std::memcpy(text.data(), &value, 4);
  return varint(8 * field + 5) + text;
}

/// A float tensor in raw data.
inline std::string tensor(const std::string& name, const std::vector<std::int64_t>& dims,
                          const std::vector<float>& values) {
  std::string message, raw(4 * values.size(), ' ');
  if (!values.empty()) std::memcpy(raw.data(), values.data(), raw.size());
  for (const std::int64_t size : dims) message += number(1, size);
  return message + number(2, 1) + bytes(8, name) + bytes(9, raw);
}
/// 64-bit integers in int64_data, packed.
inline std::string integers(const std::string& name, const std::vector<std::int64_t>& values) {
  std::string packed;
  for (const std::int64_t value : values) packed += varint(static_cast<std::uint64_t>(value));
  return number(1, static_cast<std::int64_t>(values.size())) + number(2, 7) + bytes(7, packed) +
         bytes(8, name);
}

inline std::string attribute(const std::string& name, std::int64_t value) {
  return bytes(1, name) + number(3, value);
}
inline std::string attribute(const std::string& name, float value) {
  return bytes(1, name) + real(2, value);
}
inline std::string attribute(const std::string& name, const std::string& value) {
  return bytes(1, name) + bytes(4, value);
}
inline std::string attribute(const std::string& name, const std::vector<std::int64_t>& values) {
  std::string message = bytes(1, name);
  for (const std::int64_t value : values) message += number(8, value);
  return message;
}

inline std::string node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::string& output,
                        const std::vector<std::string>& attributes = {}) {
  std::string message;
  for (const std::string& input : inputs) message += bytes(1, input);
  message += bytes(2, output) + bytes(4, op);
  for (const std::string& attribute : attributes) message += bytes(5, attribute);
  return message;
}

inline std::string value_info(const std::string& name, const std::vector<std::int64_t>& dims) {
  std::string shape;
  for (const std::int64_t size : dims) {
    shape += bytes(1, size > 0 ? number(1, size) : bytes(2, "open"));
  }
  return bytes(1, name) + bytes(2, bytes(1, number(1, 1) + bytes(2, shape)));
}

/// A whole model with input "x" and output "y".
inline std::string model(const std::vector<std::int64_t>& input,
                         const std::vector<std::string>& nodes,
                         const std::vector<std::string>& constants = {}) {
  std::string graph;
  for (const std::string& node : nodes) graph += bytes(1, node);
  for (const std::string& constant : constants) graph += bytes(5, constant);
  graph += bytes(11, value_info("x", input)) + bytes(12, value_info("y", {}));
  return number(1, 7) + bytes(7, graph) + bytes(8, number(2, 13));
}

}  // namespace bitpulse::onnx
