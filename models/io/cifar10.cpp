// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "models/io/files.h"
#include "models/io/image_formats.h"

namespace bitpulse {
namespace {

constexpr Shape kShape{3, 32, 32};
constexpr std::uint64_t kRecordBytes = 1 + 3 * 32 * 32;
constexpr int kClasses = 10;

}  // namespace

ImageSet read_cifar10(const ImageRequest& request) {
  if (request.shape != kShape) {
    fail_image(request.images, "found CIFAR-10 images of 3 x 32 x 32, expected another size");
  }
  const InputFile file(request.images);
  if (file.size() == 0 || file.size() % kRecordBytes != 0) {
    fail_image(request.images, "found " + std::to_string(file.size()) +
                                   " bytes, expected records of " + std::to_string(kRecordBytes));
  }
  ImageSet images;
  images.shape = kShape;
  images.count = images_to_read(request, static_cast<std::int64_t>(file.size() / kRecordBytes));
  const auto count = static_cast<std::size_t>(images.count);
  std::vector<std::uint8_t> records(count * kRecordBytes);
  file.read(count == 0 ? 0 : static_cast<std::uint64_t>(request.first) * kRecordBytes,
            records.data(), records.size());
  images.pixels.reserve(count * (kRecordBytes - 1));
  for (std::size_t i = 0; i < count; ++i) {
    const auto record = records.begin() + static_cast<std::ptrdiff_t>(i * kRecordBytes);
    if (*record >= kClasses) {
      fail_image(request.images,
                 "record " + std::to_string(request.first + static_cast<std::int64_t>(i)) +
                     ": found label " + std::to_string(*record) + ", expected 0..9");
    }
    images.labels.push_back(*record);
    images.pixels.insert(images.pixels.end(), record + 1,
                         record + static_cast<std::ptrdiff_t>(kRecordBytes));
  }
  return images;
}

}  // namespace bitpulse
