// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whole files: read within a limit, written so that no reader ever sees half of one.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bitpulse {

/// Writes through a temporary file in the same folder, fsync and rename. errors kIo.
void write_file_atomically(const std::string& path, std::string_view content);

/// What lies at a path that is no regular file: "a folder", "a pipe", "a device", "a socket"; ""
/// where a file or nothing lies there.
///
/// errors  kIo: the path cannot be looked at
std::string no_file_but(const std::string& path);

/// A file that is read in parts.
class InputFile {
 public:
  /// errors  kInvalidInput: no such file, or no regular one; kIo: unreadable
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  /// Bytes offset .. offset + count - 1. errors kIo, also where the file ends before.
  void read(std::uint64_t offset, void* to, std::size_t count) const;

 private:
  std::string path_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

/// Whole file, refused above `limit` bytes.
///
/// errors  kInvalidInput: no such file, or no regular one; kIo: unreadable; kLimit
std::string read_file(const std::string& path, std::uint64_t limit);

}  // namespace bitpulse
