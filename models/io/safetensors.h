// SPDX-License-Identifier: Apache-2.0
#pragma once

// safetensors: 8-byte little-endian header length, JSON header, raw little-endian data. Holes,
// overlaps, duplicate keys, lengths that do not fit the shape, and headers over 100 MB are refused.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/tensor.h"

namespace bitpulse {

struct SafeTensor {
  std::string dtype;  // "F32", "F16", "BF16", "F64", "I8", "U8", "I16", "I32", "I64", "BOOL"
  std::vector<std::int64_t> dims;
  std::vector<std::uint8_t> bytes;
};
struct SafeTensors {
  std::map<std::string, SafeTensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// errors  kIo, kLimit, kInvalidInput: file, tensor, found, expected
SafeTensors read_safetensors(const std::string& path);
void write_safetensors(const std::string& path, const SafeTensors& file);

/// The elements of a floating tensor of the file at `path`, widened or narrowed to float.
///
/// errors  kInvalidInput: integers, or a value that is not finite
std::vector<float> float_values(const std::string& path, const std::string& name,
                                const SafeTensor& tensor);

/// All floating tensors as float; integers are refused unless named "*.num_batches_tracked", which
/// are dropped. Of an ONNX file: the weights of its layers under the names they are imported with.
Weights read_weights(const std::string& path);

}  // namespace bitpulse
