// SPDX-License-Identifier: Apache-2.0
#include "models/io/files.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>

#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/models/temporary_folder.h"

namespace bitpulse {
namespace {

namespace fs = std::filesystem;

std::ptrdiff_t entries(const TemporaryFolder& folder) {
  return std::distance(fs::directory_iterator(folder.path()), {});
}

TEST_CASE("what is written is read back", "[models][files]") {
  const TemporaryFolder folder;
  for (const std::size_t size : {0u, 1u, 4095u, 4096u, 4097u, 100'000u}) {
    const std::string content(size, '\x80');
    write_file_atomically(folder / "a", content);
    CHECK(read_file(folder / "a", size) == content);
  }
  CHECK(entries(folder) == 1);
}

TEST_CASE("a file one byte over the limit is refused", "[models][files]") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "12345");
  CHECK(read_file(path, 5) == "12345");
  CHECK_REFUSED(read_file(path, 4), ErrorKind::kLimit, "/a: found 5 bytes", "at most 4");
  CHECK_REFUSED(read_file("/proc/self/status", 10), ErrorKind::kLimit, "status", "10");  // says 0
}

TEST_CASE("a path that names no file is wrong input, one that cannot be written is not",
          "[models][files]") {
  const TemporaryFolder folder;
  CHECK_REFUSED(read_file(folder / "none", 1), ErrorKind::kInvalidInput, "none", "No such file");
  CHECK_REFUSED(InputFile(folder / "none"), ErrorKind::kInvalidInput, "none", "No such file");
  CHECK_REFUSED(read_file(folder.write("file", "") + "/x", 1), ErrorKind::kInvalidInput, "file/x");
  std::filesystem::remove(folder.path() / "file");
  CHECK_REFUSED(write_file_atomically(folder / "no/such", "x"), ErrorKind::kIo, "no/such",
                "No such file");
  CHECK_REFUSED(write_file_atomically(folder.path().string(), "x"), ErrorKind::kIo, "directory");
  CHECK(entries(folder) == 0);
}

TEST_CASE("a folder, a pipe and a device are called what they are, and never waited for",
          "[models][files]") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK_REFUSED(read_file(folder.path().string(), 1), ErrorKind::kInvalidInput, "a folder");
  CHECK_REFUSED(read_file(folder / "pipe", 1), ErrorKind::kInvalidInput, "pipe: found a pipe");
  CHECK_REFUSED(InputFile(folder / "pipe"), ErrorKind::kInvalidInput, "pipe: found a pipe");
  CHECK_REFUSED(read_file("/dev/zero", 1), ErrorKind::kInvalidInput, "a device");
  CHECK(no_file_but(folder / "pipe") == "a pipe");
  CHECK(no_file_but(folder / "none").empty());
  CHECK(no_file_but(folder.write("file", "")).empty());
}

TEST_CASE("a write that fails leaves the old file and no other", "[models][files]") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "old");
  // The largest file this process may write; the signal that goes with it is not wanted.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 1000;
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto refused = refusal([&] { write_file_atomically(path, std::string(5000, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  REQUIRE(refused);
  CHECK(refused->kind == ErrorKind::kIo);
  CHECK(refused->says({"/a", "1000 of 5000 bytes"}));
  CHECK(read_file(path, 10) == "old");
  CHECK(entries(folder) == 1);
}

TEST_CASE("parts of a file are read where they lie", "[models][files]") {
  const TemporaryFolder folder;
  const InputFile file(folder.write("a", "0123456789"));
  CHECK(file.size() == 10);
  std::string part(3, ' ');
  file.read(7, part.data(), 3);
  CHECK(part == "789");
  CHECK_REFUSED(file.read(8, part.data(), 3), ErrorKind::kIo, "/a", "ended at byte 10");
}

TEST_CASE("a reader never sees half a file", "[models][files]") {
  const TemporaryFolder folder;
  const std::string path = folder / "a";
  write_file_atomically(path, std::string(50'000, '0'));
  std::thread writer([&] {
    for (char c = '1'; c <= '9'; ++c) write_file_atomically(path, std::string(50'000, c));
  });
  bool whole = true;
  for (int i = 0; i < 500; ++i) {
    const std::string seen = read_file(path, 100'000);
    whole = whole && seen.size() == 50'000 &&
            std::all_of(seen.begin(), seen.end(), [&](char c) { return c == seen[0]; });
  }
  writer.join();
  CHECK(whole);
}

TEST_CASE("a new file obeys the umask", "[models][files]") {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  write_file_atomically(folder / "a", "x");
  ::umask(before);
  CHECK((fs::status(folder / "a").permissions() & fs::perms::all) ==
        (fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read));
}

}  // namespace
}  // namespace bitpulse
