// SPDX-License-Identifier: Apache-2.0
#include "quant/float/normalization.h"

#include <cassert>
#include <string>

#include "models/error.h"
#include "quant/float/float_executor.h"

namespace bitpulse {

namespace {

void check_count(const char* what, std::size_t found, std::int64_t channels) {
  if (found == 0 || found == static_cast<std::size_t>(channels)) return;
  throw Error(ErrorKind::kInvalidInput, std::string("data: ") + what + " has " +
                                            std::to_string(found) +
                                            " values, expected one for each of " +
                                            std::to_string(channels) + " input channels");
}

}  // namespace

void check_normalization(const DataSpec& data, std::int64_t channels) {
  check_count("mean", data.mean.size(), channels);
  check_count("std", data.std_dev.size(), channels);
}

bool can_be_negative(const DataSpec& data, std::int64_t channels) {
  check_normalization(data, channels);
  for (std::int64_t c = 0; c < channels; ++c)
    if (normalized(data, c, 0) < 0 || normalized(data, c, 255) < 0) return true;
  return false;
}

FloatBatch normalize(const ImageSet& images, std::int64_t first, std::int64_t count,
                     const DataSpec& data) {
  assert(first >= 0 && first + count <= images.count);
  check_normalization(data, images.shape.c);
  FloatBatch batch{count, images.shape, {}};
  batch.data.reserve(static_cast<std::size_t>(count * images.shape.elements()));
  const std::uint8_t* pixel = images.pixels.data() + first * images.shape.elements();
  for (std::int64_t b = 0; b < count; ++b)
    for (std::int64_t c = 0; c < images.shape.c; ++c)
      for (std::int64_t i = 0; i < images.shape.pixels(); ++i)
        batch.data.push_back(static_cast<float>(normalized(data, c, *pixel++)));
  return batch;
}

}  // namespace bitpulse
