// SPDX-License-Identifier: Apache-2.0
#include "models/io/images.h"

#include <algorithm>
#include <cassert>

#include "models/error.h"
#include "models/io/image_formats.h"
#include "models/text.h"

namespace bitpulse {
namespace {

constexpr std::int64_t kMaxPixelBytes = std::int64_t{8} << 30;

std::string shape_text(const Shape& s) {
  return std::to_string(s.c) + " x " + std::to_string(s.h) + " x " + std::to_string(s.w);
}

ImageSet read_format(const DataSpec& data, Split split, const ImageRequest& request) {
  switch (data.format) {
    case DataFormat::kCifar10:
      return read_cifar10(request);
    case DataFormat::kMnist:
      return read_mnist(request);
    case DataFormat::kImageFolder:
      return read_image_folder(request);
    case DataFormat::kFigures:
      return make_figures(split, request);
    case DataFormat::kNone:
      break;
  }
  throw Error(ErrorKind::kInvalidInput, "found no data, expected images");
}

/// Exchanges the first and the third of three planes.
void swap_red_and_blue(ImageSet& images) {
  const auto plane = static_cast<std::ptrdiff_t>(images.shape.pixels());
  for (auto at = images.pixels.begin(); at != images.pixels.end(); at += 3 * plane) {
    std::swap_ranges(at, at + plane, at + 2 * plane);
  }
}

/// The output of splitmix64 for one state (Steele, Lea, Flood, OOPSLA 2014).
std::uint64_t mix(std::uint64_t state) {
  state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
  state = (state ^ (state >> 27)) * 0x94d049bb133111ebu;
  return state ^ (state >> 31);
}

}  // namespace

void fail_image(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::kInvalidInput, printable(path, 400) + ": " + what);
}

std::int64_t images_to_read(const ImageRequest& request, std::int64_t available) {
  assert(request.first >= 0);
  const std::int64_t left = std::max<std::int64_t>(available - request.first, 0);
  const std::int64_t count = request.count < 0 ? left : std::min(request.count, left);
  if (count > kMaxPixelBytes / request.shape.elements()) {
    throw Error(ErrorKind::kLimit,
                printable(request.images, 400) + ": found " + std::to_string(count) +
                    " images of " + shape_text(request.shape) + ", expected at most " +
                    std::to_string(kMaxPixelBytes / request.shape.elements()) + " at a time");
  }
  return count;
}

ImageSet read_images(const DataSpec& data, Split split, const Shape& shape, std::int64_t classes,
                     std::int64_t first, std::int64_t count) {
  const bool test = split == Split::kTest;
  ImageRequest request{test ? data.test : data.train, test ? data.test_labels : data.train_labels,
                       shape, first, count};
  if (test ? !data.has_test() : !data.has_train()) {
    throw Error(ErrorKind::kInvalidInput, std::string("found no ") + (test ? "test" : "train") +
                                              " images in the workload's data, expected some");
  }
  if (data.format == DataFormat::kFigures) request.images = "figures";
  ImageSet images = read_format(data, split, request);
  for (std::size_t i = 0; classes > 0 && i < images.labels.size(); ++i) {
    if (images.labels[i] >= classes) {
      fail_image(request.labels.empty() ? request.images : request.labels,
                 "image " + std::to_string(first + static_cast<std::int64_t>(i)) +
                     ": found label " + std::to_string(images.labels[i]) + ", expected 0.." +
                     std::to_string(classes - 1));
    }
  }
  if (data.bgr && shape.c == 3) swap_red_and_blue(images);
  return images;
}

ImageSet seeded_images(const Shape& shape, std::int64_t count, std::uint64_t seed) {
  ImageSet images;
  images.shape = shape;
  images.count = count;
  images.labels.assign(static_cast<std::size_t>(count), -1);
  images.pixels.resize(static_cast<std::size_t>(count * shape.elements()));
  // A counter, so that the first images are the same however many are asked for.
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < images.pixels.size(); ++i) {
    if (i % 8 == 0) word = mix((seed + 1) * 0x9e3779b97f4a7c15u + mix(i / 8 + 1));
    images.pixels[i] = static_cast<std::uint8_t>(word >> (8 * (i % 8)));
  }
  return images;
}

}  // namespace bitpulse
