// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shapes and dense arrays. A feature map is C, H, W without its batch; data of a feature map in
// memory is NHWC for integers (as in DRAM) and NCHW for floats (as in PyTorch): each user says.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bitpulse {

/// Largest extent of one dimension, and largest element count of one tensor, that any reader or
/// shape inference accepts (checked before anything is allocated).
inline constexpr std::int64_t kMaxDim = std::int64_t{1} << 24;
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 34;

struct Shape {
  std::int64_t c = 1;
  std::int64_t h = 1;
  std::int64_t w = 1;
  std::int64_t elements() const { return c * h * w; }
  std::int64_t pixels() const { return h * w; }
  friend bool operator==(const Shape& a, const Shape& b) {
    return a.c == b.c && a.h == b.h && a.w == b.w;
  }
  friend bool operator!=(const Shape& a, const Shape& b) { return !(a == b); }
};

/// Dense row-major array.
template <class T>
struct Tensor {
  std::vector<std::int64_t> dims;
  std::vector<T> data;
};

/// Real weights by PyTorch state-dict name ("layer1.0.conv1.weight", OIHW).
using Weights = std::map<std::string, Tensor<float>>;

}  // namespace bitpulse
