// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <string_view>

#include "models/error.h"
#include "models/io/files.h"
#include "models/io/image_formats.h"
#include "models/text.h"

namespace bitpulse {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxCsvBytes = 64ull << 20;
constexpr std::int32_t kMaxLabel = 1'000'000;

struct Entry {
  std::string file;
  std::int32_t label = -1;
};

/// The fields of a CSV (RFC 4180), line by line.
class CsvReader {
 public:
  CsvReader(std::string path, std::string_view text) : path_(std::move(path)), text_(text) {}

  /// The next line's fields; false at the end.
  bool next(std::vector<std::string>& fields) {
    fields.clear();
    if (text_.empty()) return false;
    ++line_;
    for (;;) {
      fields.push_back(text_.substr(0, 1) == "\"" ? quoted() : plain());
      if (text_.empty()) return true;
      const char separator = text_.front();
      text_.remove_prefix(1);
      if (separator == '\n') return true;
    }
  }

  [[noreturn]] void fail(const std::string& what) const {
    fail_image(path_, "line " + std::to_string(line_) + ": " + what);
  }

 private:
  std::string plain() {
    const std::size_t end = std::min(text_.find_first_of(",\n"), text_.size());
    std::string field(text_.substr(0, end));
    text_.remove_prefix(end);
    if (!field.empty() && field.back() == '\r' && text_.substr(0, 1) != ",") field.pop_back();
    return field;
  }
  std::string quoted() {
    std::string field;
    for (std::size_t i = 1; i < text_.size(); ++i) {
      if (text_[i] != '"') {
        field += text_[i];
      } else if (text_.substr(i + 1, 1) == "\"") {
        field += '"';
        ++i;
      } else {
        text_.remove_prefix(i + 1);
        if (text_.substr(0, 2) == "\r\n") text_.remove_prefix(1);
        if (!text_.empty() && text_.front() != ',' && text_.front() != '\n') {
          fail("found text behind a closing quote, expected a comma");
        }
        return field;
      }
    }
    fail("found an open quote, expected its end");
  }

  std::string path_;
  std::string_view text_;
  int line_ = 0;
};

std::size_t column(const CsvReader& csv, const std::vector<std::string>& header, const char* name) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) csv.fail("found no column '" + std::string(name) + "'");
  return static_cast<std::size_t>(found - header.begin());
}

std::int32_t read_label(const CsvReader& csv, const std::string& text) {
  std::int32_t label = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), label);
  if (error != std::errc() || end != text.data() + text.size() || label < 0 || label > kMaxLabel) {
    csv.fail("found class_index '" + printable(text) + "', expected 0.." +
             std::to_string(kMaxLabel));
  }
  return label;
}

/// A path that stays inside the folder.
bool is_inside(const fs::path& file) {
  return !file.empty() && file.is_relative() &&
         std::find(file.begin(), file.end(), fs::path("..")) == file.end();
}

std::vector<Entry> read_labels(const std::string& path) {
  const std::string text = read_file(path, kMaxCsvBytes);
  CsvReader csv(path, text);
  std::vector<std::string> fields;
  csv.next(fields);
  const std::size_t file = column(csv, fields, "file");
  const std::size_t label = column(csv, fields, "class_index");
  const std::size_t columns = fields.size();
  std::vector<Entry> entries;
  while (csv.next(fields)) {
    if (fields.size() != columns) {
      csv.fail("found " + std::to_string(fields.size()) + " fields, expected " +
               std::to_string(columns));
    }
    if (!is_inside(fields[file]) || fields[file].find('\0') != std::string::npos) {
      csv.fail("found file '" + printable(fields[file]) + "', expected one inside the folder");
    }
    entries.push_back({fields[file], read_label(csv, fields[label])});
  }
  return entries;
}

/// The file in the folder of images or, where only that exists, beside the CSV.
fs::path located(const ImageRequest& request, const std::string& file) {
  const fs::path path = fs::path(request.images) / file;
  const fs::path beside = fs::path(request.labels).parent_path() / file;
  std::error_code absent;
  const bool take_beside =
      !request.labels.empty() && !fs::exists(path, absent) && fs::exists(beside, absent);
  return take_beside ? beside : path;
}

bool is_picture(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

std::vector<Entry> list_pictures(const std::string& folder) {
  std::error_code error;
  std::vector<Entry> entries;
  fs::directory_iterator at(folder, error);
  for (const fs::directory_iterator end; !error && at != end; at.increment(error)) {
    if (is_picture(at->path())) entries.push_back({at->path().filename().string(), -1});
  }
  if (error) {
    const bool no_folder =
        error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
    throw Error(no_folder ? ErrorKind::kInvalidInput : ErrorKind::kIo,
                printable(folder, 400) + ": found no folder to read: " + error.message());
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.file < b.file; });
  return entries;
}

}  // namespace

ImageSet read_image_folder(const ImageRequest& request) {
  const std::vector<Entry> entries =
      request.labels.empty() ? list_pictures(request.images) : read_labels(request.labels);
  if (entries.empty()) {
    fail_image(request.labels.empty() ? request.images : request.labels,
               "found no JPEG or PNG files, expected some");
  }
  ImageSet images;
  images.shape = request.shape;
  images.count = images_to_read(request, static_cast<std::int64_t>(entries.size()));
  const auto image_bytes = static_cast<std::size_t>(request.shape.elements());
  images.pixels.resize(static_cast<std::size_t>(images.count) * image_bytes);
  for (std::size_t i = 0; i < static_cast<std::size_t>(images.count); ++i) {
    const Entry& entry = entries[static_cast<std::size_t>(request.first) + i];
    decode_picture(located(request, entry.file).string(), request.shape,
                   &images.pixels[i * image_bytes]);
    images.labels.push_back(entry.label);
  }
  return images;
}

}  // namespace bitpulse
