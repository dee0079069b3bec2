// SPDX-License-Identifier: Apache-2.0
#include "models/io/images.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <string>

#include "models/io/sha256.h"
#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/models/io/image_sets.h"
#include "testbench/models/temporary_folder.h"

namespace bitpulse {
namespace {

constexpr ErrorKind kInvalid = ErrorKind::kInvalidInput;
constexpr Shape kCifar{3, 32, 32};
constexpr Shape kFigures{3, 24, 24};

/// Record i has label i and bytes that grow by i + 1.
std::string cifar_file(int records) {
  std::string content;
  for (int i = 0; i < records; ++i) {
    content += static_cast<char>(i);
    for (int j = 0; j < 3072; ++j) content += static_cast<char>(j * (i + 1));
  }
  return content;
}

TEST_CASE("CIFAR-10 records are read by range", "[models][images]") {
  const TemporaryFolder folder;
  const DataSpec data = spec(DataFormat::kCifar10, folder.write("c.bin", cifar_file(5)));
  const ImageSet all = read_all(data, kCifar, 10);
  CHECK(all.count == 5);
  CHECK(all.shape == kCifar);
  CHECK(all.labels == std::vector<std::int32_t>{0, 1, 2, 3, 4});
  REQUIRE(all.pixels.size() == 5 * 3072);
  CHECK(all.pixels[2 * 3072 + 100] == static_cast<std::uint8_t>(300));
  const ImageSet two = read_images(data, Split::kTest, kCifar, 10, 3, 7);
  CHECK(two.labels == std::vector<std::int32_t>{3, 4});
  CHECK(std::equal(two.pixels.begin(), two.pixels.end(), all.pixels.begin() + 3 * 3072));
  CHECK(read_images(data, Split::kTest, kCifar, 10, 5, -1).count == 0);
  CHECK(read_images(data, Split::kTest, kCifar, 10, 1'000'000'000'000, 1).count == 0);
  CHECK(read_images(data, Split::kTest, kCifar, 10, 0, 0).pixels.empty());
}

TEST_CASE("the figures are the same bytes on every machine", "[models][images][figures]") {
  const DataSpec data = spec(DataFormat::kFigures, "");
  std::string bytes;
  for (const Split split : {Split::kTrain, Split::kTest}) {
    const ImageSet set = read_images(data, split, kFigures, 10, 0, -1);
    CHECK(set.count == (split == Split::kTrain ? 8000 : 2000));
    CHECK(set.pixels.size() == static_cast<std::size_t>(set.count * 1728));
    bytes.append(set.pixels.begin(), set.pixels.end());
    bytes.append(set.labels.begin(), set.labels.end());
  }
  CHECK(sha256_of_text(bytes) ==
        "e1261f5a4feafe649ce5f968ce69aeada92a148497f1fba1d8fd7bfd74592540");
}

TEST_CASE("figures are made by range, and none but the right size", "[models][images][figures]") {
  const DataSpec data = spec(DataFormat::kFigures, "");
  const ImageSet all = read_images(data, Split::kTest, kFigures, 10, 0, 20);
  for (std::int32_t i = 0; i < 20; ++i) CHECK(all.labels[static_cast<std::size_t>(i)] == i % 10);
  const ImageSet two = read_images(data, Split::kTest, kFigures, 10, 13, 2);
  CHECK(two.labels == std::vector<std::int32_t>{3, 4});
  CHECK(std::equal(two.pixels.begin(), two.pixels.end(), all.pixels.begin() + 13 * 1728));
  CHECK(read_images(data, Split::kTrain, kFigures, 10, 0, 20).pixels != all.pixels);
  CHECK(read_images(data, Split::kTest, kFigures, 10, 1'999, 5).count == 1);
  CHECK(read_images(data, Split::kTest, kFigures, 10, 1'000'000'000'000, 5).count == 0);
  CHECK_REFUSED(read_all(data, kCifar), kInvalid, "figures", "3 x 24 x 24");
  CHECK_REFUSED(read_all(data, kFigures, 9), kInvalid, "figures: image 9", "found label 9");
}

TEST_CASE("bgr exchanges the planes of red and blue", "[models][images]") {
  const TemporaryFolder folder;
  DataSpec data = spec(DataFormat::kCifar10, folder.write("c.bin", cifar_file(2)));
  const ImageSet rgb = read_all(data, kCifar);
  data.bgr = true;
  const ImageSet bgr = read_all(data, kCifar);
  for (std::size_t image : {0u, 1u}) {
    for (std::size_t plane : {0u, 1u, 2u}) {
      const auto at = static_cast<std::ptrdiff_t>(image * 3072 + plane * 1024);
      const auto other = static_cast<std::ptrdiff_t>(image * 3072 + (2 - plane) * 1024);
      CHECK(std::equal(&bgr.pixels[0] + at, &bgr.pixels[0] + at + 1024, &rgb.pixels[0] + other));
    }
  }
}

TEST_CASE("a CIFAR-10 file that is not one is refused", "[models][images]") {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& content, std::int64_t classes = 10) {
    return read_all(spec(DataFormat::kCifar10, folder.write("c.bin", content)), kCifar, classes);
  };
  CHECK_REFUSED(read(""), kInvalid, "c.bin", "found 0 bytes");
  CHECK_REFUSED(read(cifar_file(2).substr(1)), kInvalid, "6145 bytes");
  CHECK_REFUSED(read(cifar_file(12)), kInvalid, "record 10", "label 10");
  CHECK_REFUSED(read(cifar_file(5), 3), kInvalid, "image 3", "label 3, expected 0..2");
  const DataSpec data = spec(DataFormat::kCifar10, folder / "none");
  CHECK_REFUSED(read_all(data, kCifar), kInvalid, "none");
  CHECK_REFUSED(read_all(data, Shape{3, 32, 31}), kInvalid, "3 x 32 x 32");
  CHECK_REFUSED(read_images(data, Split::kTrain, kCifar, 0, 0, 1), kInvalid, "train");
  CHECK_REFUSED(read_all(spec(DataFormat::kNone, "x"), kCifar), kInvalid, "no data");
}

std::string word(std::uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
          static_cast<char>(v)};
}
std::string idx_images(std::uint32_t count, std::uint32_t rows, std::uint32_t cols) {
  std::string content = word(0x803) + word(count) + word(rows) + word(cols);
  for (std::uint32_t i = 0; i < count * rows * cols; ++i) content += static_cast<char>(i);
  return content;
}
std::string idx_labels(std::uint32_t count) {
  std::string content = word(0x801) + word(count);
  for (std::uint32_t i = 0; i < count; ++i) content += static_cast<char>(i % 10);
  return content;
}
std::string gzip(const TemporaryFolder& folder, const std::string& name,
                 const std::string& content) {
  std::string path = folder / name;
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
  return path;
}

TEST_CASE("MNIST is read from plain and from gzip files alike", "[models][images]") {
  const TemporaryFolder folder;
  const Shape shape{1, 3, 5};
  const DataSpec plain = spec(DataFormat::kMnist, folder.write("i", idx_images(12, 3, 5)),
                              folder.write("l", idx_labels(12)));
  const DataSpec packed = spec(DataFormat::kMnist, gzip(folder, "i.gz", idx_images(12, 3, 5)),
                               gzip(folder, "l.gz", idx_labels(12)));
  for (const DataSpec& data : {plain, packed}) {
    const ImageSet all = read_all(data, shape, 10);
    CHECK(all.count == 12);
    CHECK(all.labels[11] == 1);
    CHECK(all.pixels[11 * 15 + 14] == 179);
    const ImageSet some = read_images(data, Split::kTest, shape, 10, 7, 2);
    CHECK(some.labels == std::vector<std::int32_t>{7, 8});
    CHECK(some.pixels.front() == 105);
    CHECK(some.pixels.back() == 134);
    CHECK(read_images(data, Split::kTest, shape, 10, 12, 2).count == 0);
  }
  DataSpec unlabelled = plain;
  unlabelled.test_labels.clear();
  CHECK(read_all(unlabelled, shape, 10).labels == std::vector<std::int32_t>(12, -1));
}

TEST_CASE("an IDX file that is not one is refused", "[models][images]") {
  const TemporaryFolder folder;
  const Shape shape{1, 3, 5};
  const std::string good = folder.write("good", idx_images(4, 3, 5));
  const auto images = [&](const std::string& content) {
    return read_all(spec(DataFormat::kMnist, folder.write("i", content)), shape);
  };
  const auto labels = [&](const std::string& content, std::int64_t classes = 10) {
    return read_all(spec(DataFormat::kMnist, good, folder.write("l", content)), shape, classes);
  };
  CHECK(images(idx_images(4, 3, 5)).count == 4);
  CHECK_REFUSED(images(""), kInvalid, "truncated");
  CHECK_REFUSED(images(idx_labels(4)), kInvalid, "type 2049", "2051");
  CHECK_REFUSED(images(idx_images(4, 5, 3)), kInvalid, "1 x 5 x 3", "1 x 3 x 5");
  CHECK_REFUSED(images(word(0x803) + word(0) + word(3) + word(5)), kInvalid, "0 items");
  CHECK_REFUSED(images(word(0x803) + word(0xffffffff) + word(3) + word(5)), kInvalid, "4294967295");
  CHECK_REFUSED(images(word(0x803) + word(9'999'999) + word(3) + word(5)), kInvalid, "truncated");
  CHECK_REFUSED(images(idx_images(4, 3, 5) + "x"), kInvalid, "more bytes");
  const std::string whole = idx_images(4, 3, 5);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_REFUSED(images(whole.substr(0, size)), kInvalid, "truncated");
  }
  CHECK_REFUSED(labels(idx_labels(5)), kInvalid, "5 labels", "4, one per image");
  CHECK_REFUSED(labels(idx_labels(4).substr(0, 10)), kInvalid, "truncated");
  CHECK_REFUSED(labels(idx_labels(4), 3), kInvalid, "label 3");
  CHECK_REFUSED(read_all(spec(DataFormat::kMnist, folder / "none"), shape), kInvalid, "none");
  CHECK_REFUSED(read_all(spec(DataFormat::kMnist, good, folder / "none"), shape), kInvalid, "none");
  CHECK_REFUSED(read_all(spec(DataFormat::kMnist, folder.path().string()), shape), kInvalid,
                "a folder");
}

TEST_CASE("a damaged gzip file is refused wherever it is damaged", "[models][images]") {
  const TemporaryFolder folder;
  const std::string path = gzip(folder, "whole.gz", idx_images(4, 3, 5));
  std::string whole(std::filesystem::file_size(path), '\0');
  std::ifstream(path, std::ios::binary)
      .read(whole.data(), static_cast<std::streamsize>(whole.size()));
  const auto images = [&](const std::string& content) {
    return read_all(spec(DataFormat::kMnist, folder.write("i.gz", content)), Shape{1, 3, 5});
  };
  CHECK(images(whole).count == 4);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_REFUSED(images(whole.substr(0, size)), kInvalid, "i.gz");
  }
  for (std::size_t at = 10; at < whole.size(); ++at) {  // the checksum covers all but the header
    CAPTURE(at);
    std::string damaged = whole;
    damaged[at] = static_cast<char>(~damaged[at]);  // more than the padding of the last byte
    CHECK_REFUSED(images(damaged), kInvalid, "i.gz");
  }
}

TEST_CASE("seeded images are uniform bytes that a seed repeats", "[models][images]") {
  const ImageSet a = seeded_images({3, 17, 19}, 40, 5);
  CHECK(a.count == 40);
  CHECK(a.labels == std::vector<std::int32_t>(40, -1));
  CHECK(seeded_images({3, 17, 19}, 40, 5).pixels == a.pixels);
  CHECK(seeded_images({3, 17, 19}, 40, 6).pixels != a.pixels);
  const ImageSet fewer = seeded_images({3, 17, 19}, 7, 5);
  CHECK(std::equal(fewer.pixels.begin(), fewer.pixels.end(), a.pixels.begin()));
  std::array<int, 256> histogram{};
  for (const std::uint8_t v : a.pixels) ++histogram[v];
  double chi2 = 0;
  const double expected = static_cast<double>(a.pixels.size()) / 256;
  for (const int n : histogram) chi2 += (n - expected) * (n - expected) / expected;
  CHECK(chi2 > 175);  // 255 degrees of freedom: 175..350 holds but for 1 in 10,000
  CHECK(chi2 < 350);
}

TEST_CASE("the published data sets read as their manifests say", "[models][images][shared]") {
  BITPULSE_REQUIRE_SHARED("data/cifar10/test_a_2k.bin")
  const std::string root = BITPULSE_SHARED_DIR "/data/";
  const ImageSet cifar =
      read_all(spec(DataFormat::kCifar10, root + "cifar10/test_a_2k.bin"), kCifar, 10);
  CHECK(cifar.count == 2000);
  for (int c = 0; c < 10; ++c)
    CHECK(std::count(cifar.labels.begin(), cifar.labels.end(), c) == 200);

  DataSpec mnist = spec(DataFormat::kMnist, root + "mnist/t10k-images-idx3-ubyte.gz",
                        root + "mnist/t10k-labels-idx1-ubyte.gz");
  const ImageSet digits = read_all(mnist, {1, 28, 28}, 10);
  CHECK(digits.count == 10'000);
  CHECK(std::vector<int>(digits.labels.begin(), digits.labels.begin() + 5) ==
        std::vector<int>{7, 2, 1, 0, 4});
  mnist.train = root + "mnist/train-images-idx3-ubyte.gz";
  mnist.train_labels = root + "mnist/train-labels-idx1-ubyte.gz";
  const ImageSet train = read_images(mnist, Split::kTrain, {1, 28, 28}, 10, 0, -1);
  // Mean 0.1307 and deviation 0.3081 of the training images are the usual normalisation.
  double sum = 0, squares = 0;
  for (const double v : train.pixels) {
    sum += v;
    squares += v * v;
  }
  const auto n = static_cast<double>(train.pixels.size());
  CHECK(sum / n / 255 == Approx(0.1307).margin(5e-5));
  CHECK(std::sqrt(squares / n - sum / n * (sum / n)) / 255 == Approx(0.3081).margin(5e-5));

  const ImageSet sample = read_images(
      spec(DataFormat::kImageFolder, root + "imagenet_sample", root + "imagenet_sample/labels.csv"),
      Split::kTest, {3, 224, 224}, 1000, 0, -1);
  CHECK(sample.count == 200);
  CHECK(sample.labels.front() == 3);
  CHECK(std::is_sorted(sample.labels.begin(), sample.labels.end()));
}

}  // namespace
}  // namespace bitpulse
