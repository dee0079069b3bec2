// SPDX-License-Identifier: Apache-2.0

// In the place of the readers that need zlib, libjpeg and libpng, where quant/train is built alone.

#include "models/error.h"
#include "models/io/image_formats.h"

namespace bitpulse {

namespace {

[[noreturn]] void refuse(const char* format) {
  throw Error(ErrorKind::kInvalidInput, std::string("data format: found \"") + format +
                                            "\", expected \"cifar10\" or \"figures\", which "
                                            "a trainer built alone can read");
}

}  // namespace

ImageSet read_mnist(const ImageRequest&) { refuse("mnist"); }
ImageSet read_image_folder(const ImageRequest&) { refuse("images"); }

}  // namespace bitpulse
