// SPDX-License-Identifier: Apache-2.0
#include "quant/train/metrics.h"

#include <cstdio>
#include <filesystem>
#include <sstream>
#include <utility>

#include "models/io/files.h"

namespace bitpulse {

namespace {

constexpr const char* kHeader = "step,epoch,lr,loss,train_top1,test_top1,seconds";
constexpr std::uint64_t kMaxBytes = 64 << 20;

std::string text(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

}  // namespace

Metrics::Metrics(std::string path, std::int64_t step) : path_(std::move(path)) {
  if (!std::filesystem::exists(path_)) return;
  std::istringstream file(read_file(path_, kMaxBytes));
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line))
    if (std::atoll(line.c_str()) <= step) lines_.push_back(line);
}

void Metrics::add(const MetricsRow& row) {
  lines_.push_back(
      std::to_string(row.step) + ',' + text("%.6g", row.epoch) + ',' + text("%.9g", row.lr) + ',' +
      text("%.9g", row.loss) + ',' + text("%.6g", row.train_top1) + ',' +
      (row.test_top1 ? text("%.6g", *row.test_top1) : "") + ',' + text("%.1f", row.seconds));
  std::string content = std::string(kHeader) + '\n';
  for (const std::string& line : lines_) content += line + '\n';
  write_file_atomically(path_, content);
}

}  // namespace bitpulse
