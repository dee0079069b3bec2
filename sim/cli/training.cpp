// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/training.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "models/error.h"

namespace bitpulse {
namespace {

std::string trainer_path() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "bitpulse-train")
      .string();
}

/// In the child, between fork and exec.
[[noreturn]] void become(char** argv) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  execv(argv[0], argv);
  _exit(127);
}

}  // namespace

bool has_trainer() { return access(trainer_path().c_str(), X_OK) == 0; }

int run_trainer(const std::vector<std::string>& words) {
  if (!has_trainer()) {
    throw Error(ErrorKind::kUsage, trainer_path() +
                                       " is not there: this build has no libtorch; run "
                                       "scripts/setup --train and build again");
  }
  std::vector<std::string> spelled{trainer_path()};
  spelled.insert(spelled.end(), words.begin(), words.end());
  std::vector<char*> argv;
  for (std::string& word : spelled) argv.push_back(word.data());
  argv.push_back(nullptr);
  // Read when its OpenMP is loaded; threads that spin cost a busy machine more than they save.
  setenv("OMP_WAIT_POLICY", "passive", 0);
  const pid_t child = fork();
  if (child == 0) become(argv.data());
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child < 0) {
    throw Error(ErrorKind::kIo, trainer_path() + ": cannot be started: " + std::strerror(errno));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace bitpulse
