// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "models/error.h"
#include "models/io/files.h"
#include "models/io/image_formats.h"
#include "models/text.h"

namespace bitpulse {
namespace {

constexpr std::uint32_t kImagesMagic = 0x00000803;  // unsigned bytes, three dimensions
constexpr std::uint32_t kLabelsMagic = 0x00000801;
constexpr std::int64_t kMaxDeflateRatio = 1032;  // zlib's "Technical Details"
constexpr std::int64_t kMaxItems = 10'000'000;

/// An IDX file; zlib reads plain files as they are.
class IdxFile {
 public:
  explicit IdxFile(const std::string& path) : path_(path), file_(nullptr, gzclose) {
    size_ = InputFile(path).size();  // a missing file or a folder ends here
    file_.reset(gzopen(path.c_str(), "rb"));
    if (!file_) {
      throw Error(ErrorKind::kIo, printable(path, 400) + ": cannot open: " + std::strerror(errno));
    }
  }

  std::uint32_t read_word() {
    std::array<std::uint8_t, 4> b{};
    read(b.data(), b.size());
    return static_cast<std::uint32_t>(b[0]) << 24 | static_cast<std::uint32_t>(b[1]) << 16 |
           static_cast<std::uint32_t>(b[2]) << 8 | b[3];
  }

  void expect_magic(std::uint32_t magic) {
    const std::uint32_t found = read_word();
    if (found != magic) {
      fail_image(path_,
                 "found IDX type " + std::to_string(found) + ", expected " + std::to_string(magic));
    }
  }

  std::int64_t read_count() {
    const std::int64_t count = read_word();
    if (count < 1 || count > kMaxItems) {
      fail_image(path_, "found " + std::to_string(count) + " items, expected 1.." +
                            std::to_string(kMaxItems));
    }
    return count;
  }

  /// Refuses `items` items of `bytes` where the file is too short for them, before memory is taken.
  void expect_room(std::int64_t items, std::int64_t bytes) {
    const auto size = static_cast<std::int64_t>(size_);
    const std::int64_t most = gzdirect(file_.get()) ? size : size * kMaxDeflateRatio;
    if (items > most / bytes) fail_image(path_, "truncated file");
  }

  void skip(std::int64_t bytes) {
    if (gzseek(file_.get(), static_cast<z_off_t>(bytes), SEEK_CUR) < 0) fail_read();
  }

  void read(std::uint8_t* to, std::size_t bytes) {
    while (bytes > 0) {
      const auto part = static_cast<unsigned>(std::min<std::size_t>(bytes, 1u << 30));
      const int got = gzread(file_.get(), to, part);
      if (got <= 0) fail_read();
      to += got;
      bytes -= static_cast<std::size_t>(got);
    }
  }

  /// Nothing may follow the last item.
  void expect_end() {
    std::uint8_t more = 0;
    const int got = gzread(file_.get(), &more, 1);
    if (got > 0) fail_image(path_, "found more bytes than its header says");
    int code = Z_OK;  // says too whether the checksum was there and right
    gzerror(file_.get(), &code);
    if (got < 0 || code != Z_OK) fail_read();
  }

 private:
  [[noreturn]] void fail_read() {
    int code = Z_OK;
    const char* text = gzerror(file_.get(), &code);
    if (code == Z_ERRNO) {
      throw Error(ErrorKind::kIo, printable(path_, 400) + ": cannot read: " + std::strerror(errno));
    }
    const bool corrupt = code != Z_OK && code != Z_BUF_ERROR;
    fail_image(path_, corrupt ? "corrupt gzip data: " + printable(text) : "truncated file");
  }

  std::string path_;
  std::uint64_t size_ = 0;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
};

}  // namespace

ImageSet read_mnist(const ImageRequest& request) {
  IdxFile file(request.images);
  file.expect_magic(kImagesMagic);
  const std::int64_t available = file.read_count();
  const std::int64_t rows = file.read_word();
  const std::int64_t cols = file.read_word();
  const Shape found{1, rows, cols};
  if (found != request.shape) {
    fail_image(request.images,
               "found images of 1 x " + std::to_string(found.h) + " x " + std::to_string(found.w) +
                   ", expected " + std::to_string(request.shape.c) + " x " +
                   std::to_string(request.shape.h) + " x " + std::to_string(request.shape.w));
  }
  file.expect_room(available, found.elements());
  ImageSet images;
  images.shape = found;
  images.count = images_to_read(request, available);
  const std::int64_t first = images.count == 0 ? available : request.first;
  const bool to_the_end = first + images.count == available;
  file.skip(first * found.elements());
  images.pixels.resize(static_cast<std::size_t>(images.count * found.elements()));
  file.read(images.pixels.data(), images.pixels.size());
  if (to_the_end) file.expect_end();

  images.labels.assign(static_cast<std::size_t>(images.count), -1);
  if (request.labels.empty()) return images;
  IdxFile labels(request.labels);
  labels.expect_magic(kLabelsMagic);
  const std::int64_t label_count = labels.read_count();
  if (label_count != available) {
    fail_image(request.labels, "found " + std::to_string(label_count) + " labels, expected " +
                                   std::to_string(available) + ", one per image of " +
                                   printable(request.images, 400));
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(images.count));
  labels.skip(first);
  labels.read(bytes.data(), bytes.size());
  if (to_the_end) labels.expect_end();
  images.labels.assign(bytes.begin(), bytes.end());
  return images;
}

}  // namespace bitpulse
