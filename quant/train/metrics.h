// SPDX-License-Identifier: Apache-2.0
#pragma once

// metrics.csv: one row per epoch, kept whole across kills and resumes.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bitpulse {

struct MetricsRow {
  std::int64_t step = 0;  // done when the row was made
  double epoch = 0, lr = 0, loss = 0, train_top1 = 0;
  std::optional<double> test_top1;  // where it was measured
  double seconds = 0;               // of training, all runs together
};

class Metrics {
 public:
  /// Reads what earlier runs have written up to `step`; later rows are forgotten.
  Metrics(std::string path, std::int64_t step);
  /// Writes the file anew. errors  kIo
  void add(const MetricsRow& row);

 private:
  std::string path_;
  std::vector<std::string> lines_;
};

}  // namespace bitpulse
