// SPDX-License-Identifier: Apache-2.0
// Folders of JPEG and PNG files.

#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/models/io/image_sets.h"
#include "testbench/models/io/pictures.h"
#include "testbench/models/temporary_folder.h"

namespace bitpulse {
namespace {

constexpr ErrorKind kInvalid = ErrorKind::kInvalidInput;

TEST_CASE("PNG files give their exact bytes", "[models][images]") {
  const TemporaryFolder folder;
  const Shape shape{3, 2, 3};
  std::vector<std::uint8_t> rows(18);
  std::iota(rows.begin(), rows.end(), std::uint8_t{100});
  folder.write("b.png", png_bytes(3, 2, 3, rows));
  folder.write("a.PNG", png_bytes(1, 2, 3, {0, 50, 100, 150, 200, 255}));
  folder.write("notes.txt", "no picture");
  const ImageSet images = read_all(spec(DataFormat::kImageFolder, folder.path().string()), shape);
  REQUIRE(images.count == 2);
  CHECK(images.labels == std::vector<std::int32_t>{-1, -1});
  const auto plane = [&](std::size_t image, std::size_t channel) {
    const auto at = images.pixels.begin() + static_cast<std::ptrdiff_t>(image * 18 + channel * 6);
    return std::vector<int>(at, at + 6);
  };
  for (std::size_t c : {0u, 1u, 2u})
    CHECK(plane(0, c) == std::vector<int>{0, 50, 100, 150, 200, 255});
  CHECK(plane(1, 0) == std::vector<int>{100, 103, 106, 109, 112, 115});
  CHECK(plane(1, 2) == std::vector<int>{102, 105, 108, 111, 114, 117});
}

TEST_CASE("JPEG files come back as they were within their loss", "[models][images]") {
  const TemporaryFolder folder;
  const Shape shape{3, 16, 24};
  std::vector<std::uint8_t> rows;
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 24; ++x) {
      for (const int v : {4 * x + 20, 6 * y + 30, 200 - 3 * x - y})
        rows.push_back(static_cast<std::uint8_t>(v));
    }
  }
  folder.write("a.jpg", jpeg_bytes(3, 16, 24, rows));
  const ImageSet images = read_all(spec(DataFormat::kImageFolder, folder.path().string()), shape);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(std::abs(int{images.pixels[i % 3 * 384 + i / 3]} - int{rows[i]}) <= 4);
  }
  const TemporaryFolder grey;
  grey.write("a.jpeg", jpeg_bytes(1, 16, 24, std::vector<std::uint8_t>(384, 77)));
  CHECK(read_all(spec(DataFormat::kImageFolder, grey.path().string()), Shape{1, 16, 24}).pixels ==
        std::vector<std::uint8_t>(384, 77));
  CHECK(read_all(spec(DataFormat::kImageFolder, grey.path().string()), shape).pixels ==
        std::vector<std::uint8_t>(3 * 384, 77));
}

TEST_CASE("files of a labels CSV stand in the folder of images, or else beside the CSV",
          "[models][images]") {
  const TemporaryFolder folder;
  for (const char* sub : {"images", "images/images"})
    std::filesystem::create_directory(folder.path() / sub);
  const auto write = [&](const char* name) {
    folder.write(name, png_bytes(1, 1, 1, {static_cast<std::uint8_t>(std::string(name).size())}));
  };
  write("images/a.png");
  write("images/b.png");
  write("images/images/b.png");
  const std::string csv = folder.write(
      "l.csv", "file,class_index\nimages/a.png,1\nimages/b.png,2\na.png,3\nimages/c.png,4\n");
  const DataSpec data = spec(DataFormat::kImageFolder, (folder.path() / "images").string(), csv);
  const auto read = [&](std::int64_t count) {
    return read_images(data, Split::kTest, Shape{1, 1, 1}, 10, 0, count);
  };
  CHECK(read(3).pixels == std::vector<std::uint8_t>{12, 19, 12});
  CHECK_REFUSED(read(4), kInvalid, "images/images/c.png");
}

TEST_CASE("a labels CSV chooses files and labels", "[models][images]") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "sub");
  for (const char* name : {"a.png", "sub/b, c.png", "d\"e.png"}) {
    folder.write(name, png_bytes(1, 1, 1, {static_cast<std::uint8_t>(name[0])}));
  }
  const auto read = [&](const std::string& csv, std::int64_t first = 0, std::int64_t count = -1) {
    return read_images(
        spec(DataFormat::kImageFolder, folder.path().string(), folder.write("l.csv", csv)),
        Split::kTest, Shape{1, 1, 1}, 10, first, count);
  };
  const ImageSet images = read(
      "file,note,class_index\n\"sub/b, c.png\",x,3\r\na.png,\"y \"\"z\"\"\",0\n\"d\"\"e.png\",,9");
  CHECK(images.labels == std::vector<std::int32_t>{3, 0, 9});
  CHECK(images.pixels == std::vector<std::uint8_t>{'s', 'a', 'd'});
  CHECK(read("class_index,file\r\n7,a.png\r\n5,a.png\r\n", 1).labels ==
        std::vector<std::int32_t>{5});

  CHECK_REFUSED(read(""), kInvalid, "l.csv: line", "column 'file'");
  CHECK_REFUSED(read("file,class_index\n"), kInvalid, "no JPEG or PNG");
  CHECK_REFUSED(read("file,label\na.png,1\n"), kInvalid, "line 1", "column 'class_index'");
  CHECK_REFUSED(read("file,class_index\na.png\n"), kInvalid, "line 2", "1 fields, expected 2");
  CHECK_REFUSED(read("file,class_index\n\na.png,1\n"), kInvalid, "line 2", "1 fields");
  for (const char* label : {"", "-1", "1.0", "x", "1 ", "99999999999", "+1"}) {
    CAPTURE(label);
    CHECK_REFUSED(read(std::string("file,class_index\na.png,") + label + "\n"), kInvalid, "line 2",
                  "class_index");
  }
  CHECK_REFUSED(read("file,class_index\na.png,10\n"), kInvalid, "label 10, expected 0..9");
  for (const char* file : {"../a.png", "sub/../../a.png", "/etc/passwd", ""}) {
    CAPTURE(file);
    CHECK_REFUSED(read(std::string("file,class_index\n") + file + ",1\n"), kInvalid, "line 2",
                  "inside the folder");
  }
  CHECK_REFUSED(read("file,class_index\n\"a.png,1\n"), kInvalid, "open quote");
  CHECK_REFUSED(read("file,class_index\n\"a\"b,1\n"), kInvalid, "behind a closing quote");
  CHECK_REFUSED(read("file,class_index\nnone.png,1\n"), kInvalid, "none.png");
}

TEST_CASE("pictures of another kind or size are refused by file", "[models][images]") {
  const auto read = [](const std::string& content, const Shape& shape) {
    const TemporaryFolder folder;
    folder.write("p.png", content);
    return read_all(spec(DataFormat::kImageFolder, folder.path().string()), shape);
  };
  const std::vector<std::uint8_t> rows(4 * 4 * 4 * 2, 9);
  CHECK(read(png_bytes(3, 4, 4, rows), Shape{3, 4, 4}).count == 1);
  CHECK_REFUSED(read(png_bytes(3, 4, 4, rows), Shape{3, 4, 5}), kInvalid, "p.png", "3 x 4 x 4",
                "3 x 4 x 5");
  CHECK_REFUSED(read(png_bytes(3, 4, 4, rows), Shape{1, 4, 4}), kInvalid, "expected 1 x 4 x 4");
  CHECK_REFUSED(read(png_bytes(3, 4, 4, rows), Shape{4, 4, 4}), kInvalid, "4 channels");
  CHECK_REFUSED(read(png_bytes(4, 4, 4, rows), Shape{3, 4, 4}), kInvalid, "transparency");
  CHECK_REFUSED(read(png16_bytes(4, 4), Shape{1, 4, 4}), kInvalid, "16 bits");
  CHECK_REFUSED(read(jpeg_bytes(3, 16, 16, std::vector<std::uint8_t>(768)), Shape{3, 16, 8}),
                kInvalid, "3 x 16 x 16");
  CHECK_REFUSED(read("GIF89a", Shape{3, 4, 4}), kInvalid, "neither JPEG nor PNG");
  CHECK_REFUSED(read("", Shape{3, 4, 4}), kInvalid, "neither JPEG nor PNG");
  CHECK_REFUSED(read_all(spec(DataFormat::kImageFolder, "/nonexistent"), Shape{3, 4, 4}), kInvalid,
                "/nonexistent");
  const TemporaryFolder empty;
  CHECK_REFUSED(read_all(spec(DataFormat::kImageFolder, empty.path().string()), Shape{3, 4, 4}),
                kInvalid, "no JPEG or PNG");
}

TEST_CASE("a picture cut or damaged anywhere never gives a crash", "[models][images][fuzz]") {
  const Shape shape{3, 16, 16};
  std::vector<std::uint8_t> rows(768);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::uint8_t>(i * i);
  const TemporaryFolder folder;
  const DataSpec data = spec(DataFormat::kImageFolder, folder.path().string());
  for (const std::string& whole : {png_bytes(3, 16, 16, rows), jpeg_bytes(3, 16, 16, rows)}) {
    folder.write("p.png", whole);
    CHECK(read_all(data, shape).count == 1);
    int refused = 0;
    for (std::size_t size = 0; size + 2 < whole.size(); ++size) {  // the end marker says nothing
      folder.write("p.png", whole.substr(0, size));
      const auto answer = refusal([&] { read_all(data, shape); });
      if (answer) CHECK(answer->says({"p.png"}));
      refused += answer.has_value();
    }
    CHECK(refused > static_cast<int>(whole.size()) - 20);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(~damaged[at]);
      folder.write("p.png", damaged);
      const auto answer = refusal([&] { read_all(data, shape); });
      if (answer) CHECK(answer->says({"p.png"}));
    }
  }
}

TEST_CASE("more pixels than fit are refused before they are allocated",
          "[models][images][limits]") {
  const TemporaryFolder folder;
  std::string csv = "file,class_index\n";
  for (int i = 0; i < 200; ++i) csv += "a.png,0\n";
  const DataSpec data =
      spec(DataFormat::kImageFolder, folder.path().string(), folder.write("l.csv", csv));
  CHECK_REFUSED(read_all(data, Shape{3, 1 << 12, 1 << 12}), ErrorKind::kLimit, "200 images",
                "at most 170");
}

}  // namespace
}  // namespace bitpulse
