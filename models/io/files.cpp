// SPDX-License-Identifier: Apache-2.0
#include "models/io/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "models/error.h"
#include "models/text.h"

namespace bitpulse {
namespace {

[[noreturn]] void fail_io(const std::string& path, const std::string& what, int error) {
  throw Error(ErrorKind::kIo, printable(path, 400) + ": " + what + ": " + std::strerror(error));
}

bool names_nothing(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG;
}

/// A path that names no file is wrong input; a file that cannot be read is trouble with the system.
[[noreturn]] void fail_open(const std::string& path, int error) {
  if (!names_nothing(error)) fail_io(path, "cannot open", error);
  throw Error(ErrorKind::kInvalidInput,
              printable(path, 400) + ": found no file: " + std::strerror(error));
}

/// An open file, closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

std::string kind_of(mode_t mode) {
  if (S_ISREG(mode)) return "";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

/// Opens a regular file; a pipe that nobody writes does not block.
int open_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 && errno != ENXIO) fail_open(path, errno);  // ENXIO: a socket, or no such device
  Descriptor file(fd);
  struct stat status {};
  if ((fd < 0 ? ::stat(path.c_str(), &status) : ::fstat(fd, &status)) != 0) {
    fail_io(path, "cannot read", errno);
  }
  const std::string kind = kind_of(status.st_mode);
  if (!kind.empty()) {
    throw Error(ErrorKind::kInvalidInput,
                printable(path, 400) + ": found " + kind + ", expected a file");
  }
  return file.release();
}

/// Size as the file system tells it; 0 for the files of /proc.
std::uint64_t announced_size(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) fail_io(path, "cannot read", errno);
  return static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
}

/// Removes the temporary file unless it has taken its place.
struct TemporaryFile {
  std::string path;
  bool kept = false;
  ~TemporaryFile() {
    if (!kept) ::unlink(path.c_str());
  }
};

void write_all(int fd, std::string_view content, const std::string& path) {
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = ::write(fd, content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      fail_io(path,
              "cannot write (" + std::to_string(done) + " of " + std::to_string(content.size()) +
                  " bytes done)",
              errno);
    }
    done += static_cast<std::size_t>(n);
  }
}

}  // namespace

void write_file_atomically(const std::string& path, std::string_view content) {
  static std::atomic<unsigned> counter{0};
  TemporaryFile temporary{path + ".tmp-" + std::to_string(::getpid()) + "-" +
                          std::to_string(counter++)};
  Descriptor file(::open(temporary.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.get() < 0) {
    temporary.kept = true;  // not ours
    fail_io(path, "cannot create", errno);
  }
  write_all(file.get(), content, path);
  if (::fsync(file.get()) != 0) fail_io(path, "cannot write", errno);
  if (::close(file.release()) != 0) fail_io(path, "cannot write", errno);
  if (::rename(temporary.path.c_str(), path.c_str()) != 0) fail_io(path, "cannot write", errno);
  temporary.kept = true;
  // The rename lasts once the folder is on disk; file systems that cannot sync a folder say EINVAL.
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor parent(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() >= 0 && ::fsync(parent.get()) != 0 && errno != EINVAL) {
    fail_io(path, "cannot sync the folder", errno);
  }
}

std::string no_file_but(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return kind_of(status.st_mode);
  if (!names_nothing(errno)) fail_io(path, "cannot look at", errno);
  return "";
}

InputFile::InputFile(const std::string& path) : path_(path) {
  Descriptor file(open_file(path));
  size_ = announced_size(file.get(), path);
  descriptor_ = file.release();
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read(std::uint64_t offset, void* to, std::size_t count) const {
  auto* at = static_cast<char*>(to);
  while (count > 0) {
    const ssize_t n = ::pread(descriptor_, at, count, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_io(path_, "cannot read", errno);
    if (n == 0) {
      throw Error(ErrorKind::kIo, printable(path_, 400) + ": ended at byte " +
                                      std::to_string(offset) + " while it was read");
    }
    at += n;
    offset += static_cast<std::uint64_t>(n);
    count -= static_cast<std::size_t>(n);
  }
}

std::string read_file(const std::string& path, std::uint64_t limit) {
  const Descriptor file(open_file(path));
  const auto refuse = [&](const std::string& found) {
    throw Error(ErrorKind::kLimit, printable(path, 400) + ": found " + found +
                                       " bytes, expected at most " + std::to_string(limit));
  };
  const std::uint64_t announced = announced_size(file.get(), path);
  if (announced > limit) refuse(std::to_string(announced));

  // A file may announce less than it holds (those of /proc do): read on to its end or the limit.
  std::string content;
  content.resize(std::max<std::size_t>(announced + 1, 4096));
  std::size_t size = 0;
  for (;;) {
    if (size == content.size()) content.resize(2 * size);
    const ssize_t n = ::read(file.get(), &content[size], content.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_io(path, "cannot read", errno);
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
    if (size > limit) refuse("more than " + std::to_string(limit));
  }
  content.resize(size);
  return content;
}

}  // namespace bitpulse
