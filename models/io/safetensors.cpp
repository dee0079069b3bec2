// SPDX-License-Identifier: Apache-2.0
#include "models/io/safetensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "models/error.h"
#include "models/io/json.h"
#include "models/io/onnx_reader.h"
#include "models/text.h"

namespace bitpulse {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "data are copied, not swapped");

constexpr std::uint64_t kMaxHeader = 100'000'000;
constexpr std::size_t kMaxRank = 16;
constexpr std::size_t kLengthBytes = 8;
constexpr const char* kMetadata = "__metadata__";

struct Dtype {
  const char* name;
  std::uint64_t bytes;
};
constexpr Dtype kDtypes[] = {{"F64", 8},  {"I64", 8}, {"F32", 4}, {"I32", 4}, {"F16", 2},
                             {"BF16", 2}, {"I16", 2}, {"I8", 1},  {"U8", 1},  {"BOOL", 1}};

/// Bytes of one element, 0 for an unknown type.
std::uint64_t dtype_bytes(const std::string& dtype) {
  for (const Dtype& known : kDtypes) {
    if (dtype == known.name) return known.bytes;
  }
  return 0;
}

std::string dtype_names() {
  std::vector<std::string_view> names;
  for (const Dtype& known : kDtypes) names.push_back(known.name);
  return join(names);
}

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::kInvalidInput, printable(path, 400) + ": " + what);
}

/// A tensor's entry in the header: bytes begin .. end - 1 of the data.
struct Entry {
  std::string name;
  SafeTensor tensor;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

Entry read_entry(const std::string& name, const JsonValue& json, std::uint64_t data_bytes) {
  json.only_keys({"dtype", "shape", "data_offsets"});
  Entry entry{name, {}, 0, 0};
  const JsonValue dtype = json.at("dtype");
  entry.tensor.dtype = dtype.text();
  const std::uint64_t element_bytes = dtype_bytes(entry.tensor.dtype);
  if (element_bytes == 0) dtype.fail("one of " + dtype_names());

  const JsonValue shape = json.at("shape");
  if (!shape.is_array() || shape.size() > kMaxRank) {
    shape.fail("an array of at most " + std::to_string(kMaxRank) + " sizes");
  }
  // Zero is a size too, and must not hide that the others overflow.
  std::int64_t elements = 1;
  bool empty = false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t size = shape[i].integer(0, kMaxDim);
    entry.tensor.dims.push_back(size);
    empty = empty || size == 0;
    elements *= std::max<std::int64_t>(size, 1);
    if (elements > kMaxElements) {
      shape.fail("at most " + std::to_string(kMaxElements) + " elements");
    }
  }
  if (empty) elements = 0;

  const JsonValue offsets = json.at("data_offsets");
  if (!offsets.is_array() || offsets.size() != 2) offsets.fail("[begin, end]");
  const auto last = static_cast<std::int64_t>(data_bytes);
  entry.begin = static_cast<std::uint64_t>(offsets[0].integer(0, last));
  entry.end = static_cast<std::uint64_t>(offsets[1].integer(0, last));
  const std::uint64_t bytes = static_cast<std::uint64_t>(elements) * element_bytes;
  if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
    json.fail("offsets that span " + std::to_string(bytes) + " bytes, as dtype and shape say");
  }
  return entry;
}

/// Every byte of the data belongs to one tensor.
void check_layout(const std::string& path, std::vector<Entry>& entries, std::uint64_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  std::uint64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != at) {
      fail(path, "tensor '" + printable(entry.name) + "': found " +
                     (entry.begin < at ? "an overlap" : "a hole") + ": it begins at byte " +
                     std::to_string(entry.begin) + ", expected " + std::to_string(at));
    }
    at = entry.end;
  }
  if (at != data_bytes) {
    fail(path, "found " + std::to_string(data_bytes) + " bytes of data, expected the " +
                   std::to_string(at) + " that the header describes");
  }
}

/// The header's entries in the order of their data, and the metadata.
std::vector<Entry> read_header(const InputFile& file, std::map<std::string, std::string>& metadata,
                               std::uint64_t& data_begin) {
  std::uint64_t header_bytes = 0;
  if (file.size() < kLengthBytes) {
    fail(file.path(),
         "found " + std::to_string(file.size()) + " bytes, expected a safetensors file");
  }
  file.read(0, &header_bytes, kLengthBytes);
  if (header_bytes > kMaxHeader) {
    throw Error(ErrorKind::kLimit, printable(file.path(), 400) + ": found a header of " +
                                       std::to_string(header_bytes) + " bytes, expected at most " +
                                       std::to_string(kMaxHeader));
  }
  if (header_bytes > file.size() - kLengthBytes) {
    fail(file.path(), "found " + std::to_string(file.size()) + " bytes, expected a header of " +
                          std::to_string(header_bytes) + " and data");
  }
  data_begin = kLengthBytes + header_bytes;
  const std::uint64_t data_bytes = file.size() - data_begin;

  std::string text(header_bytes, '\0');
  file.read(kLengthBytes, text.data(), text.size());
  JsonLimits limits;
  limits.bytes = kMaxHeader;
  const JsonValue header = parse_json(text, file.path() + " (header)", limits);
  std::vector<Entry> entries;
  for (const auto& item : header.object_items()) {
    if (item.first != kMetadata) {
      entries.push_back(read_entry(item.first, item.second, data_bytes));
      continue;
    }
    for (const auto& pair : item.second.object_items()) metadata[pair.first] = pair.second.text();
  }
  check_layout(file.path(), entries, data_bytes);
  return entries;
}

float half_to_float(std::uint16_t half) {
  const int exponent = (half >> 10) & 0x1f;
  const int mantissa = half & 0x3ff;
  const float magnitude = exponent == 0x1f ? (mantissa ? NAN : INFINITY)
                          : exponent == 0
                              ? std::ldexp(static_cast<float>(mantissa), -24)
                              : std::ldexp(static_cast<float>(mantissa + 0x400), exponent - 25);
  return (half & 0x8000) ? -magnitude : magnitude;
}

float bfloat_to_float(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

/// The elements of a floating tensor as float.
template <class Stored, class Convert>
std::vector<float> convert(const std::vector<std::uint8_t>& bytes, Convert to_float) {
  std::vector<float> values(bytes.size() / sizeof(Stored));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, &bytes[i * sizeof(Stored)], sizeof stored);
    values[i] = to_float(stored);
  }
  return values;
}

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

SafeTensors read_safetensors(const std::string& path) {
  const InputFile file(path);
  SafeTensors result;
  std::uint64_t data_begin = 0;
  std::vector<Entry> entries = read_header(file, result.metadata, data_begin);
  for (Entry& entry : entries) {
    entry.tensor.bytes.resize(entry.end - entry.begin);
    file.read(data_begin + entry.begin, entry.tensor.bytes.data(), entry.tensor.bytes.size());
    result.tensors.emplace(std::move(entry.name), std::move(entry.tensor));
  }
  return result;
}

void write_safetensors(const std::string& path, const SafeTensors& file) {
  // Widest elements first, so that every tensor is aligned to its element.
  std::vector<std::pair<std::string, const SafeTensor*>> order;
  for (const auto& [name, tensor] : file.tensors) {
    std::uint64_t bytes = dtype_bytes(tensor.dtype);
    for (const std::int64_t size : tensor.dims) bytes *= static_cast<std::uint64_t>(size);
    if (name == kMetadata || !is_utf8(name) || dtype_bytes(tensor.dtype) == 0 ||
        bytes != tensor.bytes.size()) {
      fail(path, "tensor '" + printable(name) + "': found " + std::to_string(tensor.bytes.size()) +
                     " bytes of dtype " + printable(tensor.dtype) +
                     ", expected a name in UTF-8 and bytes as dtype and shape say");
    }
    order.emplace_back(name, &tensor);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return dtype_bytes(a.second->dtype) > dtype_bytes(b.second->dtype);
  });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!file.metadata.empty()) header[kMetadata] = file.metadata;
  std::uint64_t data_bytes = 0;
  for (const auto& [name, tensor] : order) {
    const std::uint64_t end = data_bytes + tensor->bytes.size();
    header[name] = {
        {"dtype", tensor->dtype}, {"shape", tensor->dims}, {"data_offsets", {data_bytes, end}}};
    data_bytes = end;
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');

  const std::uint64_t header_bytes = text.size();
  std::string content(kLengthBytes, '\0');
  std::memcpy(content.data(), &header_bytes, kLengthBytes);
  content += text;
  content.reserve(content.size() + data_bytes);
  for (const auto& entry : order) {
    content.append(entry.second->bytes.begin(), entry.second->bytes.end());
  }
  write_file_atomically(path, content);
}

std::vector<float> float_values(const std::string& path, const std::string& name,
                                const SafeTensor& tensor) {
  const auto& bytes = tensor.bytes;
  std::vector<float> values;
  if (tensor.dtype == "F32") {
    values = convert<float>(bytes, [](float v) { return v; });
  } else if (tensor.dtype == "F64") {
    values = convert<double>(bytes, [](double v) { return static_cast<float>(v); });
  } else if (tensor.dtype == "F16") {
    values = convert<std::uint16_t>(bytes, half_to_float);
  } else if (tensor.dtype == "BF16") {
    values = convert<std::uint16_t>(bytes, bfloat_to_float);
  } else {
    fail(path, "tensor '" + printable(name) + "': found dtype " + tensor.dtype +
                   ", expected F32, F16, BF16 or F64");
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      fail(path, "tensor '" + printable(name) + "': found " + std::to_string(values[i]) +
                     " at element " + std::to_string(i) + ", expected a finite float");
    }
  }
  return values;
}

Weights read_weights(const std::string& path) {
  if (ends_with(path, ".onnx")) return import_onnx(path).weights;
  SafeTensors file = read_safetensors(path);
  Weights weights;
  for (auto& [name, tensor] : file.tensors) {
    if (ends_with(name, ".num_batches_tracked")) continue;
    std::vector<float> values = float_values(path, name, tensor);
    weights[name] = {std::move(tensor.dims), std::move(values)};
    tensor.bytes = {};
  }
  return weights;
}

}  // namespace bitpulse
