// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "models/error.h"

namespace bitpulse {
namespace {

constexpr std::chrono::milliseconds kPoll{5};

[[noreturn]] void fail(const char* what) {
  throw Error(ErrorKind::kIo, std::string(what) + ": " + std::strerror(errno));
}

class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("bitpulse", MFD_CLOEXEC)) {
    if (descriptor_ < 0) fail("memfd_create");
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  int descriptor() const { return descriptor_; }
  std::string content() const {
    std::string all;
    std::array<char, 65536> part;
    ssize_t count = 0;
    while ((count = pread(descriptor_, part.data(), part.size(), static_cast<off_t>(all.size()))) >
           0) {
      all.append(part.data(), static_cast<std::size_t>(count));
    }
    return all;
  }

 private:
  int descriptor_;
};

}  // namespace

ProcessOutcome run_process(const std::vector<std::string>& words, double timeout_s) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const MemoryFile out, err;
  const pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {  // async-signal-safe calls only: other threads were lost at the fork
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out.descriptor(), STDOUT_FILENO);
    dup2(err.descriptor(), STDERR_FILENO);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  ProcessOutcome outcome;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (!outcome.timed_out &&
        std::chrono::duration<double>(Clock::now() - start).count() > timeout_s) {
      outcome.timed_out = true;
      kill(child, SIGKILL);
    }
    std::this_thread::sleep_for(kPoll);
  }
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out = out.content();
  outcome.err = err.content();
  return outcome;
}

std::string signal_text(int signal) {
  return "signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
}

}  // namespace bitpulse
