// SPDX-License-Identifier: Apache-2.0
#pragma once

// The installed program as users meet it: started with words, judged by exit status and streams.

#include <string>
#include <vector>

namespace bitpulse {

struct Outcome {
  int status = 0;  // exit status, or 128 + signal
  std::string out;
  std::string err;
};

/// Runs bitpulse with these words.
Outcome bitpulse(const std::vector<std::string>& words);

/// Runs a shell command line in which $bitpulse is the program, whose cache begins empty.
Outcome shell(const std::string& command);

/// A folder of its own, removed at the end of the test.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  /// Writes a file into it and returns its path.
  std::string file(const std::string& name, const std::string& content) const;
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string content_of(const std::string& path);

/// A small workload (two convolutions and a residual add) and machine, as text to be varied.
std::string small_workload();
std::string small_machine();

}  // namespace bitpulse
