// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reading images in tests.

#include <string>
#include <utility>

#include "models/io/images.h"

namespace bitpulse {

inline DataSpec spec(DataFormat format, std::string test, std::string labels = "") {
  DataSpec data;
  data.format = format;
  data.test = std::move(test);
  data.test_labels = std::move(labels);
  return data;
}

inline ImageSet read_all(const DataSpec& data, const Shape& shape, std::int64_t classes = 0) {
  return read_images(data, Split::kTest, shape, classes, 0, -1);
}

}  // namespace bitpulse
