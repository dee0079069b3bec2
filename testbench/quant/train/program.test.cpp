// SPDX-License-Identifier: Apache-2.0
// bitpulse-train as a user meets it, killed included.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "testbench/catch.h"
#include "testbench/quant/train/stripes_training.h"

namespace bitpulse {

namespace {

/// A running bitpulse-train.
class Program {
 public:
  Program(std::vector<std::string> words, const std::string& errors) {
    words.insert(words.begin(), BITPULSE_TRAIN_PROGRAM);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    child_ = ::fork();
    if (child_ == 0) {
      if (!std::freopen(errors.c_str(), "w", stderr)) ::_exit(99);
      ::execv(argv[0], argv.data());
      ::_exit(99);
    }
  }
  void kill(int signal) const { ::kill(child_, signal); }
  bool is_running() const { return ::kill(child_, 0) == 0; }
  /// Exit status, or 128 + signal.
  int wait() const {
    int raw = 0;
    ::waitpid(child_, &raw, 0);
    return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  }

 private:
  pid_t child_ = -1;
};

int run(const std::vector<std::string>& words, const std::string& errors) {
  return Program(words, errors).wait();
}

/// Waits until a file is there, a minute at most.
bool appears(const std::string& path) {
  for (int i = 0; i < 6000 && !std::filesystem::exists(path); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return std::filesystem::exists(path);
}

constexpr const char* kLong = R"({"method": "float", "train": {"epochs": 60, "batch": 32,
    "lr": 0.05, "crop_pad": 1}})";

}  // namespace

TEST_CASE("killed at any moment, the training program goes on to the same model",
          "[train][resume]") {
  const TemporaryFolder folder;
  const std::string workload = stripes_document(folder, kLong), errors = folder / "errors";
  const auto words = [&](const std::string& out) {
    return std::vector<std::string>{workload, "--out", folder / out, "--threads", "1"};
  };
  REQUIRE(run(words("straight"), errors) == 0);

  Program killed(words("killed"), errors);
  REQUIRE(appears(folder / "killed/checkpoint.safetensors"));
  killed.kill(SIGKILL);
  CHECK(killed.wait() == 128 + SIGKILL);

  std::vector<std::string> slice = words("killed");
  slice.insert(slice.end(), {"--max-seconds", "0.01"});
  CHECK(run(slice, errors) == 75);
  CHECK(content(errors).find("goes on from here") != std::string::npos);

  Program asked(words("killed"), errors);
  std::this_thread::sleep_for(std::chrono::milliseconds(900));
  asked.kill(SIGTERM);
  const int status = asked.wait();
  CHECK((status == 128 + SIGTERM || status == 0));

  CHECK(run(words("killed"), errors) == 0);
  CHECK((content(folder / "killed/model.safetensors") ==
         content(folder / "straight/model.safetensors")));
}

TEST_CASE("the training program's exit status and message say what is wrong", "[train][bad]") {
  const TemporaryFolder folder;
  const std::string workload = stripes_document(folder, kLong), errors = folder / "errors";
  const auto says = [&](const char* text) {
    return content(errors).find(text) != std::string::npos;
  };
  CHECK(run({}, errors) == 2);
  CHECK(says("workload is missing"));
  CHECK(run({workload}, errors) == 2);
  CHECK(says("--out is missing"));
  CHECK(run({workload, "--out", folder / "o", "--thread", "1"}, errors) == 2);
  CHECK(says("did you mean '--threads'"));
  CHECK(run({folder / "none.json", "--out", folder / "o"}, errors) == 3);
  const std::string ptq =
      stripes_document(folder, R"({"method": "ptq", "weights": 4, "activations": 4})");
  CHECK(run({ptq, "--out", folder / "o"}, errors) == 3);
  CHECK(says("learns nothing"));
}

}  // namespace bitpulse
