// SPDX-License-Identifier: Apache-2.0
#pragma once

// The data formats behind read_images: each reads images first .. first+count-1 of a set
// (count < 0: to the end), in RGB order, and no more of its files than that takes.

#include <cstdint>
#include <string>

#include "models/io/images.h"

namespace bitpulse {

/// What every format is asked for.
struct ImageRequest {
  std::string images;  // file or folder
  std::string labels;  // "" none
  Shape shape;
  std::int64_t first = 0;
  std::int64_t count = -1;
};

/// Records of one label byte and 3 x 32 x 32 bytes, planes in the order red, green, blue
/// (https://www.cs.toronto.edu/~kriz/cifar.html).
ImageSet read_cifar10(const ImageRequest& request);

/// IDX files of unsigned bytes, plain or gzip (http://yann.lecun.com/exdb/mnist/).
ImageSet read_mnist(const ImageRequest& request);

/// JPEG and PNG files: those the labels CSV lists (columns file and class_index; paths inside the
/// folder, else beside the CSV), or without one all of the folder by name.
ImageSet read_image_folder(const ImageRequest& request);

/// The images that Bitpulse draws itself: 8,000 for training, 2,000 for tests, 3 x 24 x 24, of ten
/// classes (README.md, "The figures").
ImageSet make_figures(Split split, const ImageRequest& request);

/// One JPEG or PNG of exactly the given shape as [channel][row][column]. A grey image fills all
/// channels; colour is refused where one channel is wanted, transparency and 16 bits always.
///
/// errors  kIo, kLimit, kInvalidInput naming the file; sizes are checked before anything is decoded
void decode_picture(const std::string& path, const Shape& shape, std::uint8_t* pixels);

/// How many images the request gets from a set of `available`; refuses more than 8 GiB of pixels.
std::int64_t images_to_read(const ImageRequest& request, std::int64_t available);

/// Error(kInvalidInput) "path: what".
[[noreturn]] void fail_image(const std::string& path, const std::string& what);

}  // namespace bitpulse
