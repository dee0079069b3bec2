// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/process.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "models/error.h"
#include "models/text.h"

extern char** environ;

namespace bitpulse {
namespace {

/// How a child starts: its streams, and signals as a program expects to find them (this program
/// blocks some, which a child would inherit).
class Start {
 public:
  explicit Start(int output) {
    posix_spawn_file_actions_init(&streams_);
    posix_spawn_file_actions_addopen(&streams_, STDIN_FILENO, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&streams_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&streams_, output, STDERR_FILENO);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Start() {
    posix_spawn_file_actions_destroy(&streams_);
    posix_spawnattr_destroy(&attributes_);
  }
  Start(const Start&) = delete;
  Start& operator=(const Start&) = delete;

  const posix_spawn_file_actions_t* streams() const { return &streams_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t streams_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

Process::Process(const std::vector<std::string>& words, int output) {
  std::vector<std::string> copies = words;
  std::vector<char*> arguments;
  arguments.reserve(copies.size() + 1);
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const Start start(output);
  const int error = posix_spawnp(&id_, arguments.front(), start.streams(), start.attributes(),
                                 arguments.data(), environ);
  if (error == 0) return;
  id_ = 0;
  throw Error(ErrorKind::kIo, printable(words.front()) + ": cannot start: " + std::strerror(error));
}

Process::Process(Process&& other) noexcept : id_(std::exchange(other.id_, 0)) {}

Process::~Process() { wait(); }

int Process::wait() {
  if (id_ == 0) return 0;
  int raw = 127 << 8;
  while (waitpid(id_, &raw, 0) < 0 && errno == EINTR) {
  }
  id_ = 0;
  return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
}

std::optional<std::string> output_of(const std::vector<std::string>& words) {
  const int file = memfd_create("output", MFD_CLOEXEC);
  if (file < 0) return std::nullopt;
  std::string text;
  int status = 1;
  try {
    status = Process(words, file).wait();
  } catch (const Error&) {
    // Not there.
  }
  char block[4096];
  for (ssize_t n = 0;
       (n = pread(file, block, sizeof block, static_cast<off_t>(text.size()))) > 0;) {
    text.append(block, static_cast<std::size_t>(n));
  }
  close(file);
  return status == 0 ? std::optional(text) : std::nullopt;
}

}  // namespace bitpulse
