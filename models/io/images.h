// SPDX-License-Identifier: Apache-2.0
#pragma once

// Labelled images as bytes: CIFAR-10 binary, MNIST IDX (gzip or plain), a folder of JPEG and PNG
// files with a labels CSV (columns file and class_index), or the figures that Bitpulse draws
// itself.

#include <cstdint>
#include <vector>

#include "models/tensor.h"
#include "models/workload.h"

namespace bitpulse {

struct ImageSet {
  Shape shape;
  std::int64_t count = 0;
  std::vector<std::uint8_t>
      pixels;  // [image][channel][row][column]; channels as DataSpec::bgr says
  std::vector<std::int32_t> labels;  // -1 where there is none
};

enum class Split : std::uint8_t { kTest, kTrain };

/// Images first .. first+count-1 (fewer at the end of the set; count < 0: all).
///
/// errors  kIo, kLimit; kInvalidInput: no such file, image size other than `shape`, label outside
/// 0..classes-1
///         (classes 0: not checked), truncated or empty file
ImageSet read_images(const DataSpec& data, Split split, const Shape& shape, std::int64_t classes,
                     std::int64_t first, std::int64_t count);

/// Uniform bytes from `seed`, for workloads without data; labels are -1.
ImageSet seeded_images(const Shape& shape, std::int64_t count, std::uint64_t seed);

}  // namespace bitpulse
